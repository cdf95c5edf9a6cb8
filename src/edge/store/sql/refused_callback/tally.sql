-- refused_callback_tally
SELECT NULL AS word_1, NULL AS word_2, NULL AS word_3, CAST(COALESCE(SUM(count), 0) AS BIGINT) AS number
FROM refused_callback LIMIT 1
