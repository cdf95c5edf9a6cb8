-- tracking_event_tally
SELECT state AS word_1, reason AS word_2, NULL AS word_3, COUNT(*) AS number
FROM tracking_event GROUP BY state, reason LIMIT 1000
