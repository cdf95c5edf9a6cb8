-- shipment_revision_insert
INSERT INTO shipment_revision (shipment_id, revision, unit_set, province_code, commune_code, weight_grams, collect_dong,
    service_code, postage_payer, made_by_kind, made_by, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
