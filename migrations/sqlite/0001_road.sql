-- The first schema. Portable types only: INTEGER, TEXT, BLOB, in STRICT tables. Times are Unix milliseconds UTC (suffix _at); identifiers
-- are the 16 bytes of a UUIDv7. "fixed" = never changes once written. Personal data stand in personal_data only.

CREATE TABLE office (
    id BLOB PRIMARY KEY,                    -- fixed
    code TEXT NOT NULL UNIQUE,               -- fixed; short code used in files and on the command line
    name TEXT NOT NULL,                      -- may change
    valid_from_at INTEGER NOT NULL,           -- first instant of its validity
    valid_to_at INTEGER,                      -- first instant after it; null while in force
    successor_id BLOB REFERENCES office (id), -- office that took over, once merged
    account_id BLOB,                        -- operator account it sends by
    sender_name TEXT NOT NULL,               -- sender block: name printed and sent
    sender_phone TEXT NOT NULL,              -- sender block: public telephone of the office
    sender_line TEXT NOT NULL,               -- sender block: street line
    sender_unit_set TEXT NOT NULL,           -- sender block: set version of the codes below
    sender_province_code TEXT NOT NULL,      -- sender block: national province code
    sender_commune_code TEXT NOT NULL,       -- sender block: national commune code
    paper_first INTEGER NOT NULL              -- 1: an order is sent only when the paper was scanned in; 0: at once
) STRICT;

CREATE TABLE staff (
    id BLOB PRIMARY KEY,                    -- fixed
    login TEXT NOT NULL UNIQUE,              -- fixed; work login, no private data
    display_name TEXT NOT NULL,              -- may change; shown beside acts
    active INTEGER NOT NULL                   -- 1 while the person may act
) STRICT;

CREATE TABLE staff_role (
    staff_id BLOB NOT NULL REFERENCES staff (id), -- fixed
    office_id BLOB NOT NULL REFERENCES office (id), -- fixed
    role TEXT NOT NULL,                      -- fixed; clerk, dispatcher, postal_worker, leader, auditor, administrator
    valid_from_at INTEGER NOT NULL,           -- fixed
    valid_to_at INTEGER,                      -- null while in force
    PRIMARY KEY (staff_id, office_id, role, valid_from_at)
) STRICT;

CREATE TABLE procedure (
    code TEXT PRIMARY KEY,                   -- fixed; code of the administrative procedure
    name TEXT NOT NULL,                      -- may change
    by_post INTEGER NOT NULL,                 -- 1: the result may be returned by post
    receiver_policy TEXT NOT NULL,           -- addressee_only, addressee_or_authorised, household
    takes_back_old INTEGER NOT NULL           -- 1: an old paper is taken back on delivery
) STRICT;

CREATE TABLE source_system (
    id BLOB PRIMARY KEY,                    -- fixed
    code TEXT NOT NULL UNIQUE,               -- fixed; used in addresses of the API
    name TEXT NOT NULL,                      -- may change
    status_map TEXT NOT NULL,                -- name of the map from its raw status to 1-10
    created_at INTEGER NOT NULL               -- fixed
) STRICT;

CREATE TABLE api_key (
    id BLOB PRIMARY KEY,                    -- fixed
    source_id BLOB NOT NULL REFERENCES source_system (id), -- fixed; the key acts for this source only
    key_hash BLOB NOT NULL UNIQUE,          -- fixed; SHA-256 of a 256-bit random key
    label TEXT NOT NULL,                     -- may change
    created_at INTEGER NOT NULL,              -- fixed
    revoked_at INTEGER                        -- set once
) STRICT;

CREATE TABLE operator_account (
    id BLOB PRIMARY KEY,                    -- fixed
    code TEXT NOT NULL UNIQUE,               -- fixed; short code used on the command line and in callback addresses
    adapter TEXT NOT NULL,                   -- fixed; which adapter speaks its wire
    base_url TEXT NOT NULL,                  -- may change
    settings TEXT NOT NULL,                  -- JSON object of the adapter's own settings, no secrets
    capabilities TEXT NOT NULL,              -- JSON, see domain/capability.rs
    secret_sealed BLOB NOT NULL,            -- login and password, sealed under the current key
    callback_secret_hash BLOB NOT NULL,     -- SHA-256 of the secret part of the callback address
    rate_per_minute INTEGER NOT NULL,         -- calls allowed in a minute
    rate_burst INTEGER NOT NULL,              -- calls allowed at once
    active INTEGER NOT NULL                   -- 1 while orders may be sent
) STRICT;

CREATE TABLE operator_state (
    account_id BLOB PRIMARY KEY REFERENCES operator_account (id), -- fixed
    budget_at INTEGER NOT NULL,               -- rate budget: theoretical arrival time of the next call, Unix ms * 1000
    breaker TEXT NOT NULL,                   -- closed, open, half_open
    breaker_until_at INTEGER,                 -- open: no call before this
    breaker_opened_at INTEGER,                -- since when it is not closed
    breaker_probe_at INTEGER,                 -- half_open: when the probe was let through
    failures INTEGER NOT NULL,                -- consecutive failures
    window_started_at INTEGER NOT NULL,       -- start of the counting window
    window_calls INTEGER NOT NULL,            -- calls counted in the window
    window_failures INTEGER NOT NULL,         -- failures counted in the window
    paused_ms INTEGER NOT NULL,               -- total time the breaker was open: counts neither as attempt nor as age
    heard_at INTEGER,                         -- last readable answer of the operator
    token_sealed BLOB,                      -- access token, sealed under the current key
    token_expires_at INTEGER,                 -- assumed end of its life
    token_version INTEGER NOT NULL,           -- raised with each new token
    token_lease_until_at INTEGER,             -- somebody is fetching a new one until then
    units_loaded_at INTEGER,                  -- when the operator's unit list was last loaded
    units_lease_until_at INTEGER              -- somebody is loading it until then
) STRICT;

CREATE TABLE unit (
    unit_set TEXT NOT NULL,                  -- fixed; set version, never leave it out: codes are reused between sets
    code TEXT NOT NULL,                      -- fixed; national code, text with leading zeros
    level TEXT NOT NULL,                     -- province, district, commune
    name TEXT NOT NULL,                      -- official name
    parent_code TEXT,                        -- unit above in the same set
    valid_from_at INTEGER NOT NULL,           -- first instant of the set
    PRIMARY KEY (unit_set, level, code)
) STRICT;

CREATE TABLE operator_unit (
    account_id BLOB NOT NULL REFERENCES operator_account (id), -- fixed
    unit_set TEXT NOT NULL,                  -- new or old, as the operator splits its lists
    level TEXT NOT NULL,                     -- province, district, commune
    code TEXT NOT NULL,                      -- the operator's own code
    name TEXT NOT NULL,                      -- the operator's name
    parent_code TEXT NOT NULL,               -- the operator's code of the unit above; empty for none
    PRIMARY KEY (account_id, unit_set, level, parent_code, code)
) STRICT;

CREATE TABLE record_key (
    record_id BLOB PRIMARY KEY,             -- fixed; the record whose personal data share this key
    wrapped BLOB NOT NULL,                  -- the key sealed under a key of the key file; overwritten when destroyed
    key_version INTEGER NOT NULL,             -- version of the wrapping key
    created_at INTEGER NOT NULL,              -- fixed
    expires_at INTEGER,                       -- short-lived keys (raw callbacks): destroy after this
    destroyed_at INTEGER                      -- set once; wrapped is empty from then on
) STRICT;

CREATE TABLE personal_data (
    record_id BLOB NOT NULL REFERENCES record_key (record_id), -- fixed
    field TEXT NOT NULL,                     -- fixed; which datum
    sealed BLOB NOT NULL,                   -- XChaCha20-Poly1305 under the record key, bound to table, row and column
    PRIMARY KEY (record_id, field)
) STRICT;

CREATE TABLE search_token (
    token BLOB NOT NULL,                    -- keyed hash of a word prefix without accents
    record_id BLOB NOT NULL REFERENCES record_key (record_id), -- fixed; deleted with the record's data
    PRIMARY KEY (token, record_id)
) STRICT;
CREATE INDEX search_token_record ON search_token (record_id);

CREATE TABLE dossier (
    id BLOB PRIMARY KEY,                    -- fixed
    source_id BLOB NOT NULL REFERENCES source_system (id), -- fixed; the one system that may state its status
    code TEXT NOT NULL,                      -- fixed; dossier code as the source writes it, upper case
    procedure_code TEXT NOT NULL,            -- last stated
    office_id BLOB NOT NULL REFERENCES office (id), -- receiving office, last stated
    record_id BLOB,                         -- personal data of the registered addressee; null when not by post
    journal_sequence INTEGER NOT NULL,        -- last sequence used in the journal for this subject
    status_raw TEXT NOT NULL,                -- folded: last raw status stated
    status_stated INTEGER NOT NULL,           -- folded: its meaning 1-10
    status INTEGER NOT NULL,                  -- folded: 1-10, 10 only on proof
    map_version INTEGER NOT NULL,             -- folded: version of the status map used
    return_by INTEGER NOT NULL,               -- folded: 0 counter, 1 post, 2 online
    submitted_by INTEGER NOT NULL,            -- folded: 1 direct, 2 online, 3 post
    received_at INTEGER NOT NULL,             -- folded
    due_at INTEGER,                           -- folded
    finished_at INTEGER,                      -- folded
    returned_at INTEGER,                      -- folded: when the citizen had the result
    post_withdrawn INTEGER NOT NULL,          -- folded: 1 when the postal choice was taken back
    is_duplicate INTEGER NOT NULL,            -- folded: 1 when the source marks it as a second record
    shipment_id BLOB,                       -- folded: shipment shown in the delivery block
    discrepancy TEXT,                        -- folded: why record and world disagree
    created_at INTEGER NOT NULL,              -- fixed
    updated_at INTEGER NOT NULL,              -- last change of the row
    UNIQUE (source_id, code)
) STRICT;
CREATE INDEX dossier_finished ON dossier (finished_at);
CREATE INDEX dossier_received ON dossier (received_at);

CREATE TABLE dossier_fact (
    dossier_id BLOB NOT NULL REFERENCES dossier (id), -- fixed
    fact_id BLOB NOT NULL,                  -- fixed; identity, 32 bytes
    occurred_at INTEGER NOT NULL,             -- fixed; as the source states
    map_version INTEGER NOT NULL,             -- fixed
    fields BLOB NOT NULL,                   -- fixed; the fact in the byte form of the journal's fields
    PRIMARY KEY (dossier_id, fact_id)
) STRICT;

CREATE TABLE shipment (
    id BLOB PRIMARY KEY,                    -- fixed
    short_number TEXT NOT NULL UNIQUE,       -- fixed; for barcodes, with check digit
    source_id BLOB REFERENCES source_system (id), -- fixed; system that registered it; null when the desk did
    account_id BLOB NOT NULL REFERENCES operator_account (id), -- fixed
    reference TEXT NOT NULL,                 -- fixed; operator reference, all attempts use it
    record_id BLOB NOT NULL,                -- fixed; personal data of this shipment
    revision INTEGER NOT NULL,                -- newest revision, from 1
    receiving_office_id BLOB NOT NULL REFERENCES office (id), -- fixed
    deciding_office_id BLOB NOT NULL REFERENCES office (id), -- fixed
    sending_office_id BLOB NOT NULL REFERENCES office (id), -- fixed
    return_office_id BLOB NOT NULL REFERENCES office (id), -- fixed; where an undelivered original goes
    journal_sequence INTEGER NOT NULL,        -- last sequence used in the journal for this subject
    state TEXT NOT NULL,                     -- folded: delivery
    contested INTEGER NOT NULL,               -- folded
    partial INTEGER NOT NULL,                 -- folded
    held TEXT,                               -- folded: why sending is stopped
    attempts INTEGER NOT NULL,                -- folded: calls of ours
    visits INTEGER NOT NULL,                  -- folded: visits of the postman
    failure_code TEXT,                       -- folded: raw code of the last failed visit
    last_event_at INTEGER,                    -- folded: time of the operator's last word, as it states it
    delivered_at INTEGER,                     -- folded
    custody TEXT NOT NULL,                   -- folded: place of the paper
    handed_over_at INTEGER,                   -- folded
    collected_at INTEGER,                     -- folded
    without_handover INTEGER NOT NULL,        -- folded
    closed INTEGER NOT NULL,                  -- folded
    tracking_number TEXT,                    -- the operator's number on the label, once known
    operator_id TEXT,                        -- the operator's own identifier, once known
    charge_dong INTEGER,                      -- charge the operator stated, whole dong
    cancel_case TEXT,                        -- open cancel case at the operator
    cancel_due_at INTEGER,                    -- cancel_requested: next call about it; null for at once
    unknown_code TEXT,                       -- last raw code nobody mapped yet; cleared when mapped
    heard_at INTEGER,                         -- when we last heard of it, by our clock
    created_at INTEGER NOT NULL,              -- fixed
    updated_at INTEGER NOT NULL,              -- last change of the row
    UNIQUE (account_id, reference)
) STRICT;
CREATE INDEX shipment_tracking ON shipment (tracking_number);
CREATE INDEX shipment_operator ON shipment (operator_id);
CREATE INDEX shipment_state ON shipment (account_id, state);
CREATE INDEX shipment_created ON shipment (created_at, id);

CREATE TABLE short_number (
    year INTEGER PRIMARY KEY,                 -- fixed; civil year in Vietnam
    last INTEGER NOT NULL                     -- last number given out
) STRICT;

CREATE TABLE shipment_revision (
    shipment_id BLOB NOT NULL REFERENCES shipment (id), -- fixed
    revision INTEGER NOT NULL,                -- fixed; from 1
    unit_set TEXT NOT NULL,                  -- fixed; set version of the codes below
    province_code TEXT NOT NULL,             -- fixed; national code of the addressee's province
    commune_code TEXT NOT NULL,              -- fixed; national code of the addressee's commune
    weight_grams INTEGER NOT NULL,            -- fixed
    collect_dong INTEGER NOT NULL,            -- fixed; fee to collect from the addressee, whole dong
    service_code TEXT,                       -- fixed; the operator's service, null for the account's default
    postage_payer TEXT NOT NULL,             -- fixed; citizen, office, support
    made_by_kind INTEGER NOT NULL,            -- fixed; kind of actor
    made_by BLOB NOT NULL,                  -- fixed; its id
    made_at INTEGER NOT NULL,                 -- fixed
    PRIMARY KEY (shipment_id, revision)      -- name, telephone, street line, note: personal_data, field carries the revision
) STRICT;

CREATE TABLE shipment_item (
    id BLOB PRIMARY KEY,                    -- fixed
    shipment_id BLOB NOT NULL REFERENCES shipment (id), -- fixed
    dossier_id BLOB NOT NULL REFERENCES dossier (id), -- fixed
    document_no INTEGER NOT NULL,             -- fixed; which document of the dossier, from 1
    live INTEGER                              -- 1 while this shipment holds the document; null once it is free again
) STRICT;
CREATE UNIQUE INDEX shipment_item_live ON shipment_item (dossier_id, document_no, live);
CREATE INDEX shipment_item_shipment ON shipment_item (shipment_id);
CREATE INDEX shipment_item_dossier ON shipment_item (dossier_id);

CREATE TABLE delivery_fact (
    shipment_id BLOB NOT NULL REFERENCES shipment (id), -- fixed
    fact_id BLOB NOT NULL,                  -- fixed; identity, 32 bytes: each fact once, for ever
    occurred_at INTEGER NOT NULL,             -- fixed; as its source states, cut to the source's resolution
    map_version INTEGER NOT NULL,             -- fixed; 0 for facts of our own
    heard_at INTEGER NOT NULL,                -- fixed; when we wrote it; never read by the fold
    fields BLOB NOT NULL,                   -- fixed; the fact in the byte form of the journal's fields
    PRIMARY KEY (shipment_id, fact_id)
) STRICT;

CREATE TABLE custody_fact (
    shipment_id BLOB NOT NULL REFERENCES shipment (id), -- fixed
    fact_id BLOB NOT NULL,                  -- fixed; identity, 32 bytes
    occurred_at INTEGER NOT NULL,             -- fixed
    heard_at INTEGER NOT NULL,                -- fixed
    fields BLOB NOT NULL,                   -- fixed; the fact in the byte form of the journal's fields
    PRIMARY KEY (shipment_id, fact_id)
) STRICT;

CREATE TABLE idempotency (
    source_id BLOB NOT NULL,                -- fixed; keys of two sources never meet
    key TEXT NOT NULL,                       -- fixed; as sent, 1-255 printable ASCII
    shipment_id BLOB NOT NULL,              -- fixed
    record_id BLOB NOT NULL,                -- fixed; under its key the body digest is made
    body_digest BLOB NOT NULL,              -- fixed; HMAC of the request body, keyed because it may be guessed
    created_at INTEGER NOT NULL,              -- fixed; the row never expires
    PRIMARY KEY (source_id, key)
) STRICT;

CREATE TABLE queue (
    shipment_id BLOB PRIMARY KEY REFERENCES shipment (id), -- fixed
    account_id BLOB NOT NULL,               -- fixed
    state TEXT NOT NULL,                     -- paper (waits for the paper), ready, leased, doubt, held, done
    due_at INTEGER NOT NULL,                  -- not before
    attempts INTEGER NOT NULL,                -- calls counted against the limit
    first_at INTEGER,                         -- first call
    paused_ms_then INTEGER NOT NULL,          -- the account's paused time at the first call
    lease_token INTEGER NOT NULL,             -- fencing token, raised with each lease
    lease_until_at INTEGER,                   -- leased: until then
    absences INTEGER NOT NULL,                -- doubt: look-ups that found nothing
    absent_at INTEGER,                        -- doubt: when the last one did
    doubted_at INTEGER                        -- doubt: since when
) STRICT;
CREATE INDEX queue_due ON queue (account_id, state, due_at);

CREATE TABLE attempt (
    id BLOB PRIMARY KEY,                    -- fixed
    shipment_id BLOB NOT NULL REFERENCES shipment (id), -- fixed
    number INTEGER NOT NULL,                  -- fixed; from 1
    account_id BLOB NOT NULL,               -- fixed
    reference TEXT NOT NULL,                 -- fixed; equal to the shipment's
    item_code TEXT,                          -- fixed; code from a range given beforehand; never returns to the pool
    revision INTEGER NOT NULL,                -- fixed; which revision was sent
    lease_token INTEGER NOT NULL,             -- fixed; lease under which it was started
    started_at INTEGER NOT NULL,              -- fixed; committed before any byte leaves
    ended_at INTEGER,                         -- set once
    outcome TEXT,                            -- set once: accepted, refused, not_sent, unknown
    detail TEXT,                             -- set once: our word for the kind of answer, nothing personal
    settled TEXT,                            -- how a doubt ended: found, absent, decided
    settled_at INTEGER,                       -- when
    UNIQUE (shipment_id, number)
) STRICT;

CREATE TABLE evidence (
    id BLOB PRIMARY KEY,                    -- fixed
    shipment_id BLOB NOT NULL,              -- fixed
    attempt_id BLOB,                        -- fixed; the attempt it belongs to, if any
    kind TEXT NOT NULL,                      -- fixed; sent, received, looked_up, journey
    record_id BLOB NOT NULL,                -- fixed; the shipment's record, under whose key it is sealed
    digest BLOB NOT NULL,                   -- fixed; HMAC of the bytes under the record's key
    sealed BLOB NOT NULL,                   -- fixed; the bytes, sealed
    at INTEGER NOT NULL                       -- fixed
) STRICT;
CREATE INDEX evidence_shipment ON evidence (shipment_id);

CREATE TABLE poll (
    shipment_id BLOB PRIMARY KEY REFERENCES shipment (id), -- fixed
    account_id BLOB NOT NULL,               -- fixed
    due_at INTEGER NOT NULL,                  -- next look; a hint pulls it forward
    hinted INTEGER NOT NULL,                  -- 1 while a hint waits to be confirmed
    lease_token INTEGER NOT NULL,             -- fencing token
    lease_until_at INTEGER,                   -- being asked until then
    fruitless INTEGER NOT NULL,               -- looks in a row that brought nothing new
    seen_digest BLOB                         -- keyed digest of the last answer that was kept; the same answer again is no news
) STRICT;
CREATE INDEX poll_due ON poll (account_id, due_at);

CREATE TABLE inbox (
    id BLOB PRIMARY KEY,                    -- fixed
    account_id BLOB NOT NULL,               -- fixed
    door TEXT NOT NULL,                      -- fixed; push (callback), pull (answer to our own question)
    shipment_id BLOB,                       -- fixed for pull; null for push
    record_id BLOB NOT NULL,                -- fixed; short-lived key of a callback, or the shipment's record
    sealed BLOB NOT NULL,                   -- fixed; raw bytes, sealed
    received_at INTEGER NOT NULL,             -- fixed
    state TEXT NOT NULL,                     -- unread, read, garbage
    read_at INTEGER                           -- set once
) STRICT;
CREATE INDEX inbox_unread ON inbox (state, received_at);

CREATE TABLE tracking_event (
    shipment_id BLOB NOT NULL REFERENCES shipment (id), -- fixed
    identity BLOB NOT NULL,                 -- fixed; by the adapter's own identity rule: each event once, for ever
    code TEXT NOT NULL,                      -- fixed; raw status code
    occurred_at INTEGER,                      -- fixed; as stated; null when it could not be read
    resolution INTEGER NOT NULL,              -- fixed; 0 ms, 1 s, 2 min, 3 day
    state TEXT NOT NULL,                     -- applied, note, quarantined
    reason TEXT,                             -- quarantined: unknown_code, no_time, future, before_order
    map_version INTEGER NOT NULL,             -- version of the map that read it
    inbox_id BLOB NOT NULL,                 -- fixed; where it came from first
    received_at INTEGER NOT NULL,             -- fixed
    PRIMARY KEY (shipment_id, identity)
) STRICT;
CREATE INDEX tracking_event_state ON tracking_event (state, received_at);

CREATE TABLE refused_callback (
    account_id BLOB NOT NULL,               -- fixed; zero bytes when the address named none
    source TEXT NOT NULL,                    -- fixed; keyed hash of the caller's address
    minute_at INTEGER NOT NULL,               -- fixed; start of the minute
    count INTEGER NOT NULL,                   -- callbacks refused in it
    PRIMARY KEY (account_id, source, minute_at)
) STRICT;

CREATE TABLE refused_body (
    id BLOB PRIMARY KEY,                    -- fixed
    account_id BLOB NOT NULL,               -- fixed
    source TEXT NOT NULL,                    -- fixed
    hour_at INTEGER NOT NULL,                 -- fixed; start of the hour
    record_id BLOB NOT NULL,                -- fixed; short-lived key
    sealed BLOB NOT NULL,                   -- fixed; at most the first few bodies per source and hour
    received_at INTEGER NOT NULL              -- fixed
) STRICT;
CREATE INDEX refused_body_source ON refused_body (account_id, source, hour_at);

CREATE TABLE decision (
    id BLOB PRIMARY KEY,                    -- fixed
    shipment_id BLOB NOT NULL REFERENCES shipment (id), -- fixed
    kind TEXT NOT NULL,                      -- fixed; what is decided, a word of stage::decide
    outcome TEXT,                            -- fixed; stated final outcome, if any
    overrides BLOB NOT NULL,                -- fixed; identities of the facts set aside, 32 bytes each
    facts_seen BLOB NOT NULL,               -- fixed; digest of all facts the person saw
    occurred_at INTEGER NOT NULL,             -- fixed; when the thing decided about happened
    record_id BLOB NOT NULL,                -- fixed; under it the reason is sealed
    proposed_by BLOB NOT NULL,              -- fixed; staff
    proposed_at INTEGER NOT NULL,             -- fixed
    needs_second INTEGER NOT NULL,            -- fixed; 1: a second person must approve
    approved_by BLOB,                       -- set once; never the proposer
    approved_at INTEGER,                      -- set once
    state TEXT NOT NULL                      -- proposed, applied, turned_down, stale
) STRICT;
CREATE INDEX decision_shipment ON decision (shipment_id);

CREATE TABLE handover (
    id BLOB PRIMARY KEY,                    -- fixed
    office_id BLOB NOT NULL REFERENCES office (id), -- fixed
    number INTEGER NOT NULL,                  -- fixed; running number of the office in the year
    year INTEGER NOT NULL,                    -- fixed
    given_by BLOB NOT NULL,                 -- fixed; staff
    taken_by TEXT NOT NULL,                  -- fixed; work identity of the postal worker
    handed_over_at INTEGER NOT NULL,          -- fixed; real time of the hand-over
    entered_at INTEGER NOT NULL,              -- fixed; when it was entered
    late_reason TEXT,                        -- fixed; why it was entered afterwards
    UNIQUE (office_id, year, number)
) STRICT;

CREATE TABLE handover_item (
    handover_id BLOB NOT NULL REFERENCES handover (id), -- fixed
    shipment_id BLOB NOT NULL REFERENCES shipment (id), -- fixed
    position INTEGER NOT NULL,                -- fixed; place on the list, from 1
    taken INTEGER NOT NULL,                   -- fixed; 1 taken, 0 refused by the postal worker
    reason TEXT,                             -- fixed; why it was refused
    PRIMARY KEY (handover_id, shipment_id)
) STRICT;

CREATE TABLE endpoint (
    id BLOB PRIMARY KEY,                    -- fixed
    source_id BLOB NOT NULL REFERENCES source_system (id), -- fixed; gets the events of this source's dossiers
    url TEXT NOT NULL,                       -- may change
    secret_sealed BLOB NOT NULL,            -- signing secret, sealed under the current key
    active INTEGER NOT NULL,                  -- 1 while events are sent; paused ones go on gathering them
    private_allowed INTEGER NOT NULL,         -- 1: may lie in a private network
    created_at INTEGER NOT NULL               -- fixed
) STRICT;

CREATE TABLE outbox (
    id BLOB PRIMARY KEY,                    -- fixed
    endpoint_id BLOB NOT NULL REFERENCES endpoint (id), -- fixed
    dossier_id BLOB NOT NULL REFERENCES dossier (id), -- fixed
    sequence INTEGER NOT NULL,                -- fixed; strictly rising per endpoint and dossier, from 1
    kind TEXT NOT NULL,                      -- fixed; name of the event
    body BLOB NOT NULL,                     -- fixed; frozen at event time; no name, telephone or address
    state TEXT NOT NULL,                     -- waiting, leased, sent, dead (given up by rule), skipped (by a person)
    due_at INTEGER NOT NULL,                  -- not before; while leased, the end of the lease
    attempts INTEGER NOT NULL,                -- sends begun; from zero again after a redrive
    first_at INTEGER,                         -- first send, moved on by every wait the receiver asked for: that is no age
    lease_token INTEGER NOT NULL,             -- fencing token
    lease_until_at INTEGER,                   -- leased until
    last_detail TEXT,                        -- kind of the last failure
    created_at INTEGER NOT NULL,              -- fixed
    ended_at INTEGER,                         -- sent, given up or skipped
    UNIQUE (endpoint_id, dossier_id, sequence)
) STRICT;
CREATE INDEX outbox_due ON outbox (endpoint_id, state, due_at);

CREATE TABLE import_run (
    id BLOB PRIMARY KEY,                    -- fixed
    source_id BLOB NOT NULL,                -- fixed
    file_digest BLOB NOT NULL,              -- fixed; HMAC of the file under the run's own key
    record_id BLOB NOT NULL,                -- fixed; short-lived key of the staged rows
    state TEXT NOT NULL,                     -- staging, applying, applied, refused
    rows_total INTEGER NOT NULL,              -- rows read so far
    rows_refused INTEGER NOT NULL,            -- of them refused
    rows_applied INTEGER NOT NULL,            -- of them switched in
    started_at INTEGER NOT NULL,              -- fixed
    ended_at INTEGER                          -- set once
) STRICT;

CREATE TABLE import_row (
    import_id BLOB NOT NULL REFERENCES import_run (id), -- fixed
    line INTEGER NOT NULL,                    -- fixed; line of the file, from 1
    sealed BLOB NOT NULL,                   -- fixed; the parsed row, sealed under the run's key; deleted once applied
    PRIMARY KEY (import_id, line)
) STRICT;

CREATE TABLE journal (
    id BLOB PRIMARY KEY,                    -- fixed
    subject_kind INTEGER NOT NULL,            -- fixed; equal to the number in the bytes
    subject_id BLOB NOT NULL,               -- fixed
    sequence INTEGER,                         -- fixed; per subject from 1 without gaps; null for the system
    kind INTEGER NOT NULL,                    -- fixed
    recorded_at INTEGER NOT NULL,             -- fixed
    bytes BLOB NOT NULL,                    -- fixed; the entry, FORMAT.md
    log_index INTEGER UNIQUE,                 -- set once by the sequencer: place in the sealed log
    UNIQUE (subject_kind, subject_id, sequence)
) STRICT;
CREATE INDEX journal_recorded ON journal (recorded_at, id);

-- Views for people who query by hand: identifiers as text, times as the wall clock of Vietnam.
CREATE VIEW shipment_readable AS
SELECT
    'shp_' || lower(hex(id)) AS id,
    short_number AS short_number,
    reference AS reference,
    state AS state,
    held AS held,
    contested AS contested,
    custody AS custody,
    tracking_number AS tracking_number,
    datetime(handed_over_at / 1000, 'unixepoch', '+7 hours') AS handed_over,
    datetime(delivered_at / 1000, 'unixepoch', '+7 hours') AS delivered,
    datetime(heard_at / 1000, 'unixepoch', '+7 hours') AS heard,
    datetime(created_at / 1000, 'unixepoch', '+7 hours') AS created
FROM shipment;

CREATE VIEW dossier_readable AS
SELECT
    'dos_' || lower(hex(id)) AS id,
    code AS code,
    procedure_code AS procedure_code,
    status_raw AS status_raw,
    status AS status,
    return_by AS return_by,
    discrepancy AS discrepancy,
    datetime(received_at / 1000, 'unixepoch', '+7 hours') AS received,
    datetime(due_at / 1000, 'unixepoch', '+7 hours') AS due,
    datetime(finished_at / 1000, 'unixepoch', '+7 hours') AS finished,
    datetime(returned_at / 1000, 'unixepoch', '+7 hours') AS returned
FROM dossier;

CREATE VIEW queue_readable AS
SELECT
    'shp_' || lower(hex(shipment_id)) AS shipment,
    state AS state,
    attempts AS attempts,
    absences AS absences,
    datetime(due_at / 1000, 'unixepoch', '+7 hours') AS due,
    datetime(lease_until_at / 1000, 'unixepoch', '+7 hours') AS leased_until
FROM queue;

CREATE VIEW attempt_readable AS
SELECT
    'shp_' || lower(hex(shipment_id)) AS shipment,
    number AS number,
    revision AS revision,
    outcome AS outcome,
    detail AS detail,
    settled AS settled,
    datetime(started_at / 1000, 'unixepoch', '+7 hours') AS started,
    datetime(ended_at / 1000, 'unixepoch', '+7 hours') AS ended
FROM attempt;

CREATE VIEW outbox_readable AS
SELECT
    'dos_' || lower(hex(dossier_id)) AS dossier,
    sequence AS sequence,
    kind AS kind,
    state AS state,
    attempts AS attempts,
    last_detail AS last_detail,
    datetime(due_at / 1000, 'unixepoch', '+7 hours') AS due,
    datetime(ended_at / 1000, 'unixepoch', '+7 hours') AS ended
FROM outbox;

CREATE VIEW journal_readable AS
SELECT
    'ent_' || lower(hex(id)) AS id,
    subject_kind AS subject_kind,
    lower(hex(subject_id)) AS subject,
    sequence AS sequence,
    kind AS kind,
    datetime(recorded_at / 1000, 'unixepoch', '+7 hours') AS recorded
FROM journal;
