-- office_overview
-- Counts of what an installation is set up with, in one look; $1 is now.
SELECT
    (SELECT COUNT(*) FROM office WHERE valid_to_at IS NULL OR valid_to_at > $1) AS offices,
    (SELECT COUNT(*) FROM office WHERE account_id IS NULL AND (valid_to_at IS NULL OR valid_to_at > $1)) AS offices_without_account,
    (SELECT COUNT(*) FROM procedure WHERE by_post = 1) AS procedures_by_post,
    (SELECT COUNT(*) FROM staff WHERE active = 1) AS staff,
    (SELECT COUNT(*) FROM source_system) AS sources,
    (SELECT COUNT(*) FROM source_system s
        WHERE NOT EXISTS (SELECT 1 FROM api_key k WHERE k.source_id = s.id AND k.revoked_at IS NULL)) AS sources_without_key,
    (SELECT COUNT(*) FROM source_system s
        WHERE NOT EXISTS (SELECT 1 FROM endpoint e WHERE e.source_id = s.id AND e.active = 1)) AS sources_without_endpoint,
    (SELECT COUNT(*) FROM import_run WHERE state IN ('staging', 'applying')) AS imports_unfinished
