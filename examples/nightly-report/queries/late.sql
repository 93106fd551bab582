-- Orders that are older than two days and not shipped.
SELECT count(*) AS orders, min(ordered) AS oldest
FROM orders WHERE shipped IS NULL AND date(ordered) < date(:day, '-2 days');
