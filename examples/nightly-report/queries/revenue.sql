-- One row: how much was sold on the day, and on the day before.
SELECT count(*) FILTER (WHERE date(ordered) = :day) AS orders,
       coalesce(sum(cents * pieces) FILTER (WHERE date(ordered) = :day), 0) AS cents,
       coalesce(sum(cents * pieces) FILTER (WHERE date(ordered) = date(:day, '-1 day')), 0) AS cents_before
FROM orders;
