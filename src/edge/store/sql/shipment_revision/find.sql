-- shipment_revision_find
SELECT revision, unit_set, province_code, commune_code, weight_grams, collect_dong, service_code, postage_payer, made_at
FROM shipment_revision WHERE shipment_id = $1 AND revision = $2
