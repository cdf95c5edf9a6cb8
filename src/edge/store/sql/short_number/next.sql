-- short_number_next
-- One statement gives a number to one caller only.
INSERT INTO short_number (year, last) VALUES ($1, 1)
ON CONFLICT (year) DO UPDATE SET last = short_number.last + 1 RETURNING last
