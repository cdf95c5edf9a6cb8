-- outbox_tally
SELECT state AS word_1, last_detail AS word_2, NULL AS word_3, COUNT(*) AS number
FROM outbox GROUP BY state, last_detail LIMIT 1000
