-- The first schema. Portable types only: BIGINT, TEXT, BYTEA. Times are Unix milliseconds UTC (suffix _at); identifiers
-- are the 16 bytes of a UUIDv7. "fixed" = never changes once written. Personal data stand in personal_data only.

CREATE TABLE office (
    id BYTEA PRIMARY KEY,                    -- fixed
    code TEXT NOT NULL UNIQUE,               -- fixed; short code used in files and on the command line
    name TEXT NOT NULL,                      -- may change
    valid_from_at BIGINT NOT NULL,           -- first instant of its validity
    valid_to_at BIGINT,                      -- first instant after it; null while in force
    successor_id BYTEA REFERENCES office (id), -- office that took over, once merged
    account_id BYTEA,                        -- operator account it sends by
    sender_name TEXT NOT NULL,               -- sender block: name printed and sent
    sender_phone TEXT NOT NULL,              -- sender block: public telephone of the office
    sender_line TEXT NOT NULL,               -- sender block: street line
    sender_unit_set TEXT NOT NULL,           -- sender block: set version of the codes below
    sender_province_code TEXT NOT NULL,      -- sender block: national province code
    sender_commune_code TEXT NOT NULL,       -- sender block: national commune code
    paper_first BIGINT NOT NULL              -- 1: an order is sent only when the paper was scanned in; 0: at once
);

CREATE TABLE staff (
    id BYTEA PRIMARY KEY,                    -- fixed
    login TEXT NOT NULL UNIQUE,              -- fixed; work login, no private data
    display_name TEXT NOT NULL,              -- may change; shown beside acts
    active BIGINT NOT NULL                   -- 1 while the person may act
);

CREATE TABLE staff_role (
    staff_id BYTEA NOT NULL REFERENCES staff (id), -- fixed
    office_id BYTEA NOT NULL REFERENCES office (id), -- fixed
    role TEXT NOT NULL,                      -- fixed; clerk, dispatcher, postal_worker, leader, auditor, administrator
    valid_from_at BIGINT NOT NULL,           -- fixed
    valid_to_at BIGINT,                      -- null while in force
    PRIMARY KEY (staff_id, office_id, role, valid_from_at)
);

CREATE TABLE procedure (
    code TEXT PRIMARY KEY,                   -- fixed; code of the administrative procedure
    name TEXT NOT NULL,                      -- may change
    by_post BIGINT NOT NULL,                 -- 1: the result may be returned by post
    receiver_policy TEXT NOT NULL,           -- addressee_only, addressee_or_authorised, household
    takes_back_old BIGINT NOT NULL           -- 1: an old paper is taken back on delivery
);

CREATE TABLE source_system (
    id BYTEA PRIMARY KEY,                    -- fixed
    code TEXT NOT NULL UNIQUE,               -- fixed; used in addresses of the API
    name TEXT NOT NULL,                      -- may change
    status_map TEXT NOT NULL,                -- name of the map from its raw status to 1-10
    created_at BIGINT NOT NULL               -- fixed
);

CREATE TABLE api_key (
    id BYTEA PRIMARY KEY,                    -- fixed
    source_id BYTEA NOT NULL REFERENCES source_system (id), -- fixed; the key acts for this source only
    key_hash BYTEA NOT NULL UNIQUE,          -- fixed; SHA-256 of a 256-bit random key
    label TEXT NOT NULL,                     -- may change
    created_at BIGINT NOT NULL,              -- fixed
    revoked_at BIGINT                        -- set once
);

CREATE TABLE operator_account (
    id BYTEA PRIMARY KEY,                    -- fixed
    code TEXT NOT NULL UNIQUE,               -- fixed; short code used on the command line and in callback addresses
    adapter TEXT NOT NULL,                   -- fixed; which adapter speaks its wire
    base_url TEXT NOT NULL,                  -- may change
    settings TEXT NOT NULL,                  -- JSON object of the adapter's own settings, no secrets
    capabilities TEXT NOT NULL,              -- JSON, see domain/capability.rs
    secret_sealed BYTEA NOT NULL,            -- login and password, sealed under the current key
    callback_secret_hash BYTEA NOT NULL,     -- SHA-256 of the secret part of the callback address
    rate_per_minute BIGINT NOT NULL,         -- calls allowed in a minute
    rate_burst BIGINT NOT NULL,              -- calls allowed at once
    active BIGINT NOT NULL                   -- 1 while orders may be sent
);

CREATE TABLE operator_state (
    account_id BYTEA PRIMARY KEY REFERENCES operator_account (id), -- fixed
    budget_at BIGINT NOT NULL,               -- rate budget: theoretical arrival time of the next call, Unix ms * 1000
    breaker TEXT NOT NULL,                   -- closed, open, half_open
    breaker_until_at BIGINT,                 -- open: no call before this
    breaker_opened_at BIGINT,                -- since when it is not closed
    breaker_probe_at BIGINT,                 -- half_open: when the probe was let through
    failures BIGINT NOT NULL,                -- consecutive failures
    window_started_at BIGINT NOT NULL,       -- start of the counting window
    window_calls BIGINT NOT NULL,            -- calls counted in the window
    window_failures BIGINT NOT NULL,         -- failures counted in the window
    paused_ms BIGINT NOT NULL,               -- total time the breaker was open: counts neither as attempt nor as age
    heard_at BIGINT,                         -- last readable answer of the operator
    token_sealed BYTEA,                      -- access token, sealed under the current key
    token_expires_at BIGINT,                 -- assumed end of its life
    token_version BIGINT NOT NULL,           -- raised with each new token
    token_lease_until_at BIGINT,             -- somebody is fetching a new one until then
    units_loaded_at BIGINT,                  -- when the operator's unit list was last loaded
    units_lease_until_at BIGINT              -- somebody is loading it until then
);

CREATE TABLE unit (
    unit_set TEXT NOT NULL,                  -- fixed; set version, never leave it out: codes are reused between sets
    code TEXT NOT NULL,                      -- fixed; national code, text with leading zeros
    level TEXT NOT NULL,                     -- province, district, commune
    name TEXT NOT NULL,                      -- official name
    parent_code TEXT,                        -- unit above in the same set
    valid_from_at BIGINT NOT NULL,           -- first instant of the set
    PRIMARY KEY (unit_set, level, code)
);

CREATE TABLE operator_unit (
    account_id BYTEA NOT NULL REFERENCES operator_account (id), -- fixed
    unit_set TEXT NOT NULL,                  -- new or old, as the operator splits its lists
    level TEXT NOT NULL,                     -- province, district, commune
    code TEXT NOT NULL,                      -- the operator's own code
    name TEXT NOT NULL,                      -- the operator's name
    parent_code TEXT NOT NULL,               -- the operator's code of the unit above; empty for none
    PRIMARY KEY (account_id, unit_set, level, parent_code, code)
);

CREATE TABLE record_key (
    record_id BYTEA PRIMARY KEY,             -- fixed; the record whose personal data share this key
    wrapped BYTEA NOT NULL,                  -- the key sealed under a key of the key file; overwritten when destroyed
    key_version BIGINT NOT NULL,             -- version of the wrapping key
    created_at BIGINT NOT NULL,              -- fixed
    expires_at BIGINT,                       -- short-lived keys (raw callbacks): destroy after this
    destroyed_at BIGINT                      -- set once; wrapped is empty from then on
);

CREATE TABLE personal_data (
    record_id BYTEA NOT NULL REFERENCES record_key (record_id), -- fixed
    field TEXT NOT NULL,                     -- fixed; which datum
    sealed BYTEA NOT NULL,                   -- XChaCha20-Poly1305 under the record key, bound to table, row and column
    PRIMARY KEY (record_id, field)
);

CREATE TABLE search_token (
    token BYTEA NOT NULL,                    -- keyed hash of a word prefix without accents
    record_id BYTEA NOT NULL REFERENCES record_key (record_id), -- fixed; deleted with the record's data
    PRIMARY KEY (token, record_id)
);
CREATE INDEX search_token_record ON search_token (record_id);

CREATE TABLE dossier (
    id BYTEA PRIMARY KEY,                    -- fixed
    source_id BYTEA NOT NULL REFERENCES source_system (id), -- fixed; the one system that may state its status
    code TEXT NOT NULL,                      -- fixed; dossier code as the source writes it, upper case
    procedure_code TEXT NOT NULL,            -- last stated
    office_id BYTEA NOT NULL REFERENCES office (id), -- receiving office, last stated
    record_id BYTEA,                         -- personal data of the registered addressee; null when not by post
    journal_sequence BIGINT NOT NULL,        -- last sequence used in the journal for this subject
    status_raw TEXT NOT NULL,                -- folded: last raw status stated
    status_stated BIGINT NOT NULL,           -- folded: its meaning 1-10
    status BIGINT NOT NULL,                  -- folded: 1-10, 10 only on proof
    map_version BIGINT NOT NULL,             -- folded: version of the status map used
    return_by BIGINT NOT NULL,               -- folded: 0 counter, 1 post, 2 online
    submitted_by BIGINT NOT NULL,            -- folded: 1 direct, 2 online, 3 post
    received_at BIGINT NOT NULL,             -- folded
    due_at BIGINT,                           -- folded
    finished_at BIGINT,                      -- folded
    returned_at BIGINT,                      -- folded: when the citizen had the result
    post_withdrawn BIGINT NOT NULL,          -- folded: 1 when the postal choice was taken back
    is_duplicate BIGINT NOT NULL,            -- folded: 1 when the source marks it as a second record
    shipment_id BYTEA,                       -- folded: shipment shown in the delivery block
    discrepancy TEXT,                        -- folded: why record and world disagree
    created_at BIGINT NOT NULL,              -- fixed
    updated_at BIGINT NOT NULL,              -- last change of the row
    UNIQUE (source_id, code)
);
CREATE INDEX dossier_finished ON dossier (finished_at);
CREATE INDEX dossier_received ON dossier (received_at);

CREATE TABLE dossier_fact (
    dossier_id BYTEA NOT NULL REFERENCES dossier (id), -- fixed
    fact_id BYTEA NOT NULL,                  -- fixed; identity, 32 bytes
    occurred_at BIGINT NOT NULL,             -- fixed; as the source states
    map_version BIGINT NOT NULL,             -- fixed
    fields BYTEA NOT NULL,                   -- fixed; the fact in the byte form of the journal's fields
    PRIMARY KEY (dossier_id, fact_id)
);

CREATE TABLE shipment (
    id BYTEA PRIMARY KEY,                    -- fixed
    short_number TEXT NOT NULL UNIQUE,       -- fixed; for barcodes, with check digit
    source_id BYTEA REFERENCES source_system (id), -- fixed; system that registered it; null when the desk did
    account_id BYTEA NOT NULL REFERENCES operator_account (id), -- fixed
    reference TEXT NOT NULL,                 -- fixed; operator reference, all attempts use it
    record_id BYTEA NOT NULL,                -- fixed; personal data of this shipment
    revision BIGINT NOT NULL,                -- newest revision, from 1
    receiving_office_id BYTEA NOT NULL REFERENCES office (id), -- fixed
    deciding_office_id BYTEA NOT NULL REFERENCES office (id), -- fixed
    sending_office_id BYTEA NOT NULL REFERENCES office (id), -- fixed
    return_office_id BYTEA NOT NULL REFERENCES office (id), -- fixed; where an undelivered original goes
    journal_sequence BIGINT NOT NULL,        -- last sequence used in the journal for this subject
    state TEXT NOT NULL,                     -- folded: delivery
    contested BIGINT NOT NULL,               -- folded
    partial BIGINT NOT NULL,                 -- folded
    held TEXT,                               -- folded: why sending is stopped
    attempts BIGINT NOT NULL,                -- folded: calls of ours
    visits BIGINT NOT NULL,                  -- folded: visits of the postman
    failure_code TEXT,                       -- folded: raw code of the last failed visit
    last_event_at BIGINT,                    -- folded: time of the operator's last word, as it states it
    delivered_at BIGINT,                     -- folded
    custody TEXT NOT NULL,                   -- folded: place of the paper
    handed_over_at BIGINT,                   -- folded
    collected_at BIGINT,                     -- folded
    without_handover BIGINT NOT NULL,        -- folded
    closed BIGINT NOT NULL,                  -- folded
    tracking_number TEXT,                    -- the operator's number on the label, once known
    operator_id TEXT,                        -- the operator's own identifier, once known
    charge_dong BIGINT,                      -- charge the operator stated, whole dong
    cancel_case TEXT,                        -- open cancel case at the operator
    cancel_due_at BIGINT,                    -- cancel_requested: next call about it; null for at once
    unknown_code TEXT,                       -- last raw code nobody mapped yet; cleared when mapped
    heard_at BIGINT,                         -- when we last heard of it, by our clock
    created_at BIGINT NOT NULL,              -- fixed
    updated_at BIGINT NOT NULL,              -- last change of the row
    UNIQUE (account_id, reference)
);
CREATE INDEX shipment_tracking ON shipment (tracking_number);
CREATE INDEX shipment_operator ON shipment (operator_id);
CREATE INDEX shipment_state ON shipment (account_id, state);
CREATE INDEX shipment_created ON shipment (created_at, id);

CREATE TABLE short_number (
    year BIGINT PRIMARY KEY,                 -- fixed; civil year in Vietnam
    last BIGINT NOT NULL                     -- last number given out
);

CREATE TABLE shipment_revision (
    shipment_id BYTEA NOT NULL REFERENCES shipment (id), -- fixed
    revision BIGINT NOT NULL,                -- fixed; from 1
    unit_set TEXT NOT NULL,                  -- fixed; set version of the codes below
    province_code TEXT NOT NULL,             -- fixed; national code of the addressee's province
    commune_code TEXT NOT NULL,              -- fixed; national code of the addressee's commune
    weight_grams BIGINT NOT NULL,            -- fixed
    collect_dong BIGINT NOT NULL,            -- fixed; fee to collect from the addressee, whole dong
    service_code TEXT,                       -- fixed; the operator's service, null for the account's default
    postage_payer TEXT NOT NULL,             -- fixed; citizen, office, support
    made_by_kind BIGINT NOT NULL,            -- fixed; kind of actor
    made_by BYTEA NOT NULL,                  -- fixed; its id
    made_at BIGINT NOT NULL,                 -- fixed
    PRIMARY KEY (shipment_id, revision)      -- name, telephone, street line, note: personal_data, field carries the revision
);

CREATE TABLE shipment_item (
    id BYTEA PRIMARY KEY,                    -- fixed
    shipment_id BYTEA NOT NULL REFERENCES shipment (id), -- fixed
    dossier_id BYTEA NOT NULL REFERENCES dossier (id), -- fixed
    document_no BIGINT NOT NULL,             -- fixed; which document of the dossier, from 1
    live BIGINT                              -- 1 while this shipment holds the document; null once it is free again
);
CREATE UNIQUE INDEX shipment_item_live ON shipment_item (dossier_id, document_no, live);
CREATE INDEX shipment_item_shipment ON shipment_item (shipment_id);
CREATE INDEX shipment_item_dossier ON shipment_item (dossier_id);

CREATE TABLE delivery_fact (
    shipment_id BYTEA NOT NULL REFERENCES shipment (id), -- fixed
    fact_id BYTEA NOT NULL,                  -- fixed; identity, 32 bytes: each fact once, for ever
    occurred_at BIGINT NOT NULL,             -- fixed; as its source states, cut to the source's resolution
    map_version BIGINT NOT NULL,             -- fixed; 0 for facts of our own
    heard_at BIGINT NOT NULL,                -- fixed; when we wrote it; never read by the fold
    fields BYTEA NOT NULL,                   -- fixed; the fact in the byte form of the journal's fields
    PRIMARY KEY (shipment_id, fact_id)
);

CREATE TABLE custody_fact (
    shipment_id BYTEA NOT NULL REFERENCES shipment (id), -- fixed
    fact_id BYTEA NOT NULL,                  -- fixed; identity, 32 bytes
    occurred_at BIGINT NOT NULL,             -- fixed
    heard_at BIGINT NOT NULL,                -- fixed
    fields BYTEA NOT NULL,                   -- fixed; the fact in the byte form of the journal's fields
    PRIMARY KEY (shipment_id, fact_id)
);

CREATE TABLE idempotency (
    source_id BYTEA NOT NULL,                -- fixed; keys of two sources never meet
    key TEXT NOT NULL,                       -- fixed; as sent, 1-255 printable ASCII
    shipment_id BYTEA NOT NULL,              -- fixed
    record_id BYTEA NOT NULL,                -- fixed; under its key the body digest is made
    body_digest BYTEA NOT NULL,              -- fixed; HMAC of the request body, keyed because it may be guessed
    created_at BIGINT NOT NULL,              -- fixed; the row never expires
    PRIMARY KEY (source_id, key)
);

CREATE TABLE queue (
    shipment_id BYTEA PRIMARY KEY REFERENCES shipment (id), -- fixed
    account_id BYTEA NOT NULL,               -- fixed
    state TEXT NOT NULL,                     -- paper (waits for the paper), ready, leased, doubt, held, done
    due_at BIGINT NOT NULL,                  -- not before
    attempts BIGINT NOT NULL,                -- calls counted against the limit
    first_at BIGINT,                         -- first call
    paused_ms_then BIGINT NOT NULL,          -- the account's paused time at the first call
    lease_token BIGINT NOT NULL,             -- fencing token, raised with each lease
    lease_until_at BIGINT,                   -- leased: until then
    absences BIGINT NOT NULL,                -- doubt: look-ups that found nothing
    absent_at BIGINT,                        -- doubt: when the last one did
    doubted_at BIGINT                        -- doubt: since when
);
CREATE INDEX queue_due ON queue (account_id, state, due_at);

CREATE TABLE attempt (
    id BYTEA PRIMARY KEY,                    -- fixed
    shipment_id BYTEA NOT NULL REFERENCES shipment (id), -- fixed
    number BIGINT NOT NULL,                  -- fixed; from 1
    account_id BYTEA NOT NULL,               -- fixed
    reference TEXT NOT NULL,                 -- fixed; equal to the shipment's
    item_code TEXT,                          -- fixed; code from a range given beforehand; never returns to the pool
    revision BIGINT NOT NULL,                -- fixed; which revision was sent
    lease_token BIGINT NOT NULL,             -- fixed; lease under which it was started
    started_at BIGINT NOT NULL,              -- fixed; committed before any byte leaves
    ended_at BIGINT,                         -- set once
    outcome TEXT,                            -- set once: accepted, refused, not_sent, unknown
    detail TEXT,                             -- set once: our word for the kind of answer, nothing personal
    settled TEXT,                            -- how a doubt ended: found, absent, decided
    settled_at BIGINT,                       -- when
    UNIQUE (shipment_id, number)
);

CREATE TABLE evidence (
    id BYTEA PRIMARY KEY,                    -- fixed
    shipment_id BYTEA NOT NULL,              -- fixed
    attempt_id BYTEA,                        -- fixed; the attempt it belongs to, if any
    kind TEXT NOT NULL,                      -- fixed; sent, received, looked_up, journey
    record_id BYTEA NOT NULL,                -- fixed; the shipment's record, under whose key it is sealed
    digest BYTEA NOT NULL,                   -- fixed; HMAC of the bytes under the record's key
    sealed BYTEA NOT NULL,                   -- fixed; the bytes, sealed
    at BIGINT NOT NULL                       -- fixed
);
CREATE INDEX evidence_shipment ON evidence (shipment_id);

CREATE TABLE poll (
    shipment_id BYTEA PRIMARY KEY REFERENCES shipment (id), -- fixed
    account_id BYTEA NOT NULL,               -- fixed
    due_at BIGINT NOT NULL,                  -- next look; a hint pulls it forward
    hinted BIGINT NOT NULL,                  -- 1 while a hint waits to be confirmed
    lease_token BIGINT NOT NULL,             -- fencing token
    lease_until_at BIGINT,                   -- being asked until then
    fruitless BIGINT NOT NULL,               -- looks in a row that brought nothing new
    seen_digest BYTEA                        -- keyed digest of the last answer that was kept; the same answer again is no news
);
CREATE INDEX poll_due ON poll (account_id, due_at);

CREATE TABLE inbox (
    id BYTEA PRIMARY KEY,                    -- fixed
    account_id BYTEA NOT NULL,               -- fixed
    door TEXT NOT NULL,                      -- fixed; push (callback), pull (answer to our own question)
    shipment_id BYTEA,                       -- fixed for pull; null for push
    record_id BYTEA NOT NULL,                -- fixed; short-lived key of a callback, or the shipment's record
    sealed BYTEA NOT NULL,                   -- fixed; raw bytes, sealed
    received_at BIGINT NOT NULL,             -- fixed
    state TEXT NOT NULL,                     -- unread, read, garbage
    read_at BIGINT                           -- set once
);
CREATE INDEX inbox_unread ON inbox (state, received_at);

CREATE TABLE tracking_event (
    shipment_id BYTEA NOT NULL REFERENCES shipment (id), -- fixed
    identity BYTEA NOT NULL,                 -- fixed; by the adapter's own identity rule: each event once, for ever
    code TEXT NOT NULL,                      -- fixed; raw status code
    occurred_at BIGINT,                      -- fixed; as stated; null when it could not be read
    resolution BIGINT NOT NULL,              -- fixed; 0 ms, 1 s, 2 min, 3 day
    state TEXT NOT NULL,                     -- applied, note, quarantined
    reason TEXT,                             -- quarantined: unknown_code, no_time, future, before_order
    map_version BIGINT NOT NULL,             -- version of the map that read it
    inbox_id BYTEA NOT NULL,                 -- fixed; where it came from first
    received_at BIGINT NOT NULL,             -- fixed
    PRIMARY KEY (shipment_id, identity)
);
CREATE INDEX tracking_event_state ON tracking_event (state, received_at);

CREATE TABLE refused_callback (
    account_id BYTEA NOT NULL,               -- fixed; zero bytes when the address named none
    source TEXT NOT NULL,                    -- fixed; keyed hash of the caller's address
    minute_at BIGINT NOT NULL,               -- fixed; start of the minute
    count BIGINT NOT NULL,                   -- callbacks refused in it
    PRIMARY KEY (account_id, source, minute_at)
);

CREATE TABLE refused_body (
    id BYTEA PRIMARY KEY,                    -- fixed
    account_id BYTEA NOT NULL,               -- fixed
    source TEXT NOT NULL,                    -- fixed
    hour_at BIGINT NOT NULL,                 -- fixed; start of the hour
    record_id BYTEA NOT NULL,                -- fixed; short-lived key
    sealed BYTEA NOT NULL,                   -- fixed; at most the first few bodies per source and hour
    received_at BIGINT NOT NULL              -- fixed
);
CREATE INDEX refused_body_source ON refused_body (account_id, source, hour_at);

CREATE TABLE decision (
    id BYTEA PRIMARY KEY,                    -- fixed
    shipment_id BYTEA NOT NULL REFERENCES shipment (id), -- fixed
    kind TEXT NOT NULL,                      -- fixed; what is decided, a word of stage::decide
    outcome TEXT,                            -- fixed; stated final outcome, if any
    overrides BYTEA NOT NULL,                -- fixed; identities of the facts set aside, 32 bytes each
    facts_seen BYTEA NOT NULL,               -- fixed; digest of all facts the person saw
    occurred_at BIGINT NOT NULL,             -- fixed; when the thing decided about happened
    record_id BYTEA NOT NULL,                -- fixed; under it the reason is sealed
    proposed_by BYTEA NOT NULL,              -- fixed; staff
    proposed_at BIGINT NOT NULL,             -- fixed
    needs_second BIGINT NOT NULL,            -- fixed; 1: a second person must approve
    approved_by BYTEA,                       -- set once; never the proposer
    approved_at BIGINT,                      -- set once
    state TEXT NOT NULL                      -- proposed, applied, turned_down, stale
);
CREATE INDEX decision_shipment ON decision (shipment_id);

CREATE TABLE handover (
    id BYTEA PRIMARY KEY,                    -- fixed
    office_id BYTEA NOT NULL REFERENCES office (id), -- fixed
    number BIGINT NOT NULL,                  -- fixed; running number of the office in the year
    year BIGINT NOT NULL,                    -- fixed
    given_by BYTEA NOT NULL,                 -- fixed; staff
    taken_by TEXT NOT NULL,                  -- fixed; work identity of the postal worker
    handed_over_at BIGINT NOT NULL,          -- fixed; real time of the hand-over
    entered_at BIGINT NOT NULL,              -- fixed; when it was entered
    late_reason TEXT,                        -- fixed; why it was entered afterwards
    UNIQUE (office_id, year, number)
);

CREATE TABLE handover_item (
    handover_id BYTEA NOT NULL REFERENCES handover (id), -- fixed
    shipment_id BYTEA NOT NULL REFERENCES shipment (id), -- fixed
    position BIGINT NOT NULL,                -- fixed; place on the list, from 1
    taken BIGINT NOT NULL,                   -- fixed; 1 taken, 0 refused by the postal worker
    reason TEXT,                             -- fixed; why it was refused
    PRIMARY KEY (handover_id, shipment_id)
);

CREATE TABLE endpoint (
    id BYTEA PRIMARY KEY,                    -- fixed
    source_id BYTEA NOT NULL REFERENCES source_system (id), -- fixed; gets the events of this source's dossiers
    url TEXT NOT NULL,                       -- may change
    secret_sealed BYTEA NOT NULL,            -- signing secret, sealed under the current key
    active BIGINT NOT NULL,                  -- 1 while events are sent; paused ones go on gathering them
    private_allowed BIGINT NOT NULL,         -- 1: may lie in a private network
    created_at BIGINT NOT NULL               -- fixed
);

CREATE TABLE outbox (
    id BYTEA PRIMARY KEY,                    -- fixed
    endpoint_id BYTEA NOT NULL REFERENCES endpoint (id), -- fixed
    dossier_id BYTEA NOT NULL REFERENCES dossier (id), -- fixed
    sequence BIGINT NOT NULL,                -- fixed; strictly rising per endpoint and dossier, from 1
    kind TEXT NOT NULL,                      -- fixed; name of the event
    body BYTEA NOT NULL,                     -- fixed; frozen at event time; no name, telephone or address
    state TEXT NOT NULL,                     -- waiting, leased, sent, dead (given up by rule), skipped (by a person)
    due_at BIGINT NOT NULL,                  -- not before; while leased, the end of the lease
    attempts BIGINT NOT NULL,                -- sends begun; from zero again after a redrive
    first_at BIGINT,                         -- first send, moved on by every wait the receiver asked for: that is no age
    lease_token BIGINT NOT NULL,             -- fencing token
    lease_until_at BIGINT,                   -- leased until
    last_detail TEXT,                        -- kind of the last failure
    created_at BIGINT NOT NULL,              -- fixed
    ended_at BIGINT,                         -- sent, given up or skipped
    UNIQUE (endpoint_id, dossier_id, sequence)
);
CREATE INDEX outbox_due ON outbox (endpoint_id, state, due_at);

CREATE TABLE import_run (
    id BYTEA PRIMARY KEY,                    -- fixed
    source_id BYTEA NOT NULL,                -- fixed
    file_digest BYTEA NOT NULL,              -- fixed; HMAC of the file under the run's own key
    record_id BYTEA NOT NULL,                -- fixed; short-lived key of the staged rows
    state TEXT NOT NULL,                     -- staging, applying, applied, refused
    rows_total BIGINT NOT NULL,              -- rows read so far
    rows_refused BIGINT NOT NULL,            -- of them refused
    rows_applied BIGINT NOT NULL,            -- of them switched in
    started_at BIGINT NOT NULL,              -- fixed
    ended_at BIGINT                          -- set once
);

CREATE TABLE import_row (
    import_id BYTEA NOT NULL REFERENCES import_run (id), -- fixed
    line BIGINT NOT NULL,                    -- fixed; line of the file, from 1
    sealed BYTEA NOT NULL,                   -- fixed; the parsed row, sealed under the run's key; deleted once applied
    PRIMARY KEY (import_id, line)
);

CREATE TABLE journal (
    id BYTEA PRIMARY KEY,                    -- fixed
    subject_kind BIGINT NOT NULL,            -- fixed; equal to the number in the bytes
    subject_id BYTEA NOT NULL,               -- fixed
    sequence BIGINT,                         -- fixed; per subject from 1 without gaps; null for the system
    kind BIGINT NOT NULL,                    -- fixed
    recorded_at BIGINT NOT NULL,             -- fixed
    bytes BYTEA NOT NULL,                    -- fixed; the entry, FORMAT.md
    log_index BIGINT UNIQUE,                 -- set once by the sequencer: place in the sealed log
    UNIQUE (subject_kind, subject_id, sequence)
);
CREATE INDEX journal_recorded ON journal (recorded_at, id);

-- Views for people who query by hand: identifiers as text, times as the wall clock of Vietnam.
CREATE VIEW shipment_readable AS
SELECT
    'shp_' || encode(id, 'hex') AS id,
    short_number AS short_number,
    reference AS reference,
    state AS state,
    held AS held,
    contested AS contested,
    custody AS custody,
    tracking_number AS tracking_number,
    to_char(to_timestamp(handed_over_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS handed_over,
    to_char(to_timestamp(delivered_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS delivered,
    to_char(to_timestamp(heard_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS heard,
    to_char(to_timestamp(created_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS created
FROM shipment;

CREATE VIEW dossier_readable AS
SELECT
    'dos_' || encode(id, 'hex') AS id,
    code AS code,
    procedure_code AS procedure_code,
    status_raw AS status_raw,
    status AS status,
    return_by AS return_by,
    discrepancy AS discrepancy,
    to_char(to_timestamp(received_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS received,
    to_char(to_timestamp(due_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS due,
    to_char(to_timestamp(finished_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS finished,
    to_char(to_timestamp(returned_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS returned
FROM dossier;

CREATE VIEW queue_readable AS
SELECT
    'shp_' || encode(shipment_id, 'hex') AS shipment,
    state AS state,
    attempts AS attempts,
    absences AS absences,
    to_char(to_timestamp(due_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS due,
    to_char(to_timestamp(lease_until_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS leased_until
FROM queue;

CREATE VIEW attempt_readable AS
SELECT
    'shp_' || encode(shipment_id, 'hex') AS shipment,
    number AS number,
    revision AS revision,
    outcome AS outcome,
    detail AS detail,
    settled AS settled,
    to_char(to_timestamp(started_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS started,
    to_char(to_timestamp(ended_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS ended
FROM attempt;

CREATE VIEW outbox_readable AS
SELECT
    'dos_' || encode(dossier_id, 'hex') AS dossier,
    sequence AS sequence,
    kind AS kind,
    state AS state,
    attempts AS attempts,
    last_detail AS last_detail,
    to_char(to_timestamp(due_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS due,
    to_char(to_timestamp(ended_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS ended
FROM outbox;

CREATE VIEW journal_readable AS
SELECT
    'ent_' || encode(id, 'hex') AS id,
    subject_kind AS subject_kind,
    encode(subject_id, 'hex') AS subject,
    sequence AS sequence,
    kind AS kind,
    to_char(to_timestamp(recorded_at / 1000.0) AT TIME ZONE 'Asia/Ho_Chi_Minh', 'YYYY-MM-DD HH24:MI:SS') AS recorded
FROM journal;
