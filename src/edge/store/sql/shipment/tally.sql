-- shipment_tally
SELECT state AS word_1, held AS word_2,
    CASE WHEN contested = 1 THEN 'contested' WHEN partial = 1 THEN 'partial' ELSE NULL END AS word_3, COUNT(*) AS number
FROM shipment GROUP BY state, held, contested, partial LIMIT 1000
