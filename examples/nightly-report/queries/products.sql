-- The five products that brought most; one row with a list, so that there is a result when there are none.
SELECT json_group_array(json_object('product', product, 'pieces', pieces, 'cents', cents)) AS products
FROM (SELECT product, sum(pieces) AS pieces, sum(cents * pieces) AS cents
      FROM orders WHERE date(ordered) = :day GROUP BY product ORDER BY cents DESC, product LIMIT 5);
