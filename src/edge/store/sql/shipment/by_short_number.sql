-- shipment_by_short_number
SELECT id FROM shipment WHERE short_number = $1
