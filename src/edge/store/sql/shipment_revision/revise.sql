-- shipment_revision_revise
-- The next revision: what a correction leaves out stays as it was.
INSERT INTO shipment_revision (shipment_id, revision, unit_set, province_code, commune_code, weight_grams, collect_dong,
    service_code, postage_payer, made_by_kind, made_by, made_at)
SELECT shipment_id, $3, COALESCE($4, unit_set), COALESCE($5, province_code), COALESCE($6, commune_code),
    COALESCE($7, weight_grams), collect_dong, service_code, postage_payer, $8, $9, $10
FROM shipment_revision WHERE shipment_id = $1 AND revision = $2
