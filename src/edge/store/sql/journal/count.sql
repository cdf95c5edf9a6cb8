-- journal_count
SELECT COUNT(*) AS number FROM journal
