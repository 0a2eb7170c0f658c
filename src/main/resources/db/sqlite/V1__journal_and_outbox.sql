-- The event journal: the truth. One row per event, raw fields kept (rule R5: the key makes a repeat harmless).
create table event (
    seq         integer primary key autoincrement,
    pbx         text   not null,
    call_id     text   not null,
    leg_id      text   not null,
    type        text   not null,
    event_time  bigint not null,            -- microseconds since 1970; the PBX sent none: 0, with Bridged -1
    arrived_at  bigint not null,            -- milliseconds since 1970
    callback_id text,
    fields      text   not null,            -- JSON object of the raw fields
    state       text   not null,            -- new, done, failed
    trace       text,                       -- where the trace of what follows from it goes on: a W3C traceparent; null: it was not traced
    constraint event_once unique (pbx, leg_id, type, event_time)
);
create index event_by_call on event (call_id, pbx);
create index event_by_callback on event (callback_id) where callback_id is not null;
create index event_open on event (arrived_at) where state <> 'done';

-- Which looks at a call were written (of two at the same time one wins, the other is taken again), and what they led to.
create table call (
    pbx      text   not null,
    call_id  text   not null,
    version  bigint not null,
    first_at bigint not null,               -- arrival of its first event, milliseconds since 1970
    last_at  bigint not null,               -- arrival of its last event that was looked at
    outcome  text   not null,               -- open, answered, missed, unanswered, local
    number   text,                          -- the outside party, in E.164 where it can be read
    parties  text   not null,               -- JSON object: extension to CRM user, "" for one without
    primary key (pbx, call_id)
);
create index call_by_first on call (first_at, pbx, call_id);
create index call_by_last on call (last_at, pbx, call_id);
create index call_by_outcome on call (outcome, first_at);
create index call_by_number on call (number, first_at) where number is not null;
create index call_of_pbx on call (pbx, last_at);

-- The parties of a call once more, to find it by them.
create table call_party (
    pbx       text not null,
    call_id   text not null,
    extension text not null,
    crm_user  text not null,                -- empty: mapped to none
    primary key (pbx, call_id, extension)
);
create index call_party_by_extension on call_party (extension, pbx, call_id);
create index call_party_by_user on call_party (crm_user, pbx, call_id) where crm_user <> '';

-- What is to be looked at again at a given time: one row per subject, survives a restart.
create table timer (
    pbx     text   not null,
    call_id text   not null,
    subject text   not null,                -- a leg id; empty: was the call missed?
    due_at  bigint not null,
    primary key (pbx, call_id, subject)
);
create index timer_due on timer (due_at);

-- Why a call ended up as it did: a story in the order in which it was decided, without repetitions.
create table decision (
    seq     integer primary key autoincrement,
    pbx     text   not null,
    call_id text   not null,
    leg_id  text   not null,                -- empty: the whole call
    topic   text   not null,                -- card, call, missed
    rule    text   not null,
    reason  text   not null,
    at      bigint not null
);
create index decision_by_call on decision (call_id, pbx, leg_id, topic);

-- The outbox: one row per effect, named after the call of its PBX, so that folding twice creates nothing twice.
create table delivery (
    seq        integer primary key autoincrement,
    crm        text    not null,
    operation  text    not null,            -- card, answer, card-end, call, recording, missed, task
    id         text    not null,            -- SubCallID, or CallID of a missed call
    pbx        text    not null,
    call_id    text    not null,
    lane       text    not null,            -- cards, calls, recordings
    body       text    not null,            -- JSON of the request, without what the CRM itself knows
    enriched   text,                        -- the request as sent, with entity and responsible; a repeat sends the same
    state      text    not null,            -- pending, delivered, dead, dropped, discarded
    revision   integer not null default 1,
    attempts   integer not null default 0,  -- also what somebody had taken who died: it may have been sent
    tries      text    not null default '[]', -- JSON: at, status (none: no answer), answer, millis of each
    next_at    bigint  not null,
    wait       text    not null default 'retry', -- for next_at: retry, asked (by the CRM's Retry-After), taken (by a replica)
    expires_at bigint  not null,            -- cards: not sent after this
    created_at bigint  not null,
    trace      text,
    constraint delivery_once unique (crm, operation, id, pbx)
);
create index delivery_by_call on delivery (call_id, pbx);
create index delivery_pending on delivery (crm, lane, next_at, seq) where state = 'pending';
create index delivery_ended on delivery (state, crm, seq) where state <> 'pending' and state <> 'delivered';
create index delivery_expiring on delivery (crm, expires_at) where state = 'pending' and operation = 'card';
-- Only what was tried and waits again is in it: it costs a delivery that succeeds nothing.
create index delivery_failing on delivery (crm, seq) where state = 'pending' and attempts > 0;

-- Written to find out whether the store takes writes: always one row.
create table probe (
    at bigint not null
);
insert into probe (at) values (0);

-- What a CRM answered and must be told again: the id that it gave a call, a token. Goes with the call it is about.
create table crm_memory (
    about text not null,                    -- PBX and SubCallID or CallID, with a blank between them; empty: the CRM itself
    crm   text not null,
    name  text not null,
    value text not null,
    primary key (about, crm, name)
);

-- How many requests each CRM takes now, from all replicas together.
create table crm_rate (
    name    text not null primary key,
    permits real not null,
    at      real not null                    -- milliseconds since 1970
);

-- What administrators did.
create table audit (
    seq     integer primary key autoincrement,
    at      bigint not null,                -- milliseconds since 1970
    who     text   not null,
    action  text   not null,                -- retry, discard, retry-all, discard-all, reprocess, check
    subject text   not null,
    detail  text
);
