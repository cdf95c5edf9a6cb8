-- handover_item_list
SELECT i.shipment_id, s.short_number, i.position, i.taken, i.reason
FROM handover_item i JOIN shipment s ON s.id = i.shipment_id
WHERE i.handover_id = $1 ORDER BY i.position
