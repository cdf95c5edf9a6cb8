-- handover_insert
INSERT INTO handover (id, office_id, number, year, given_by, taken_by, handed_over_at, entered_at, late_reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
