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

-- The outbox: one row per effect, named after the call, so that folding twice creates nothing twice.
create table delivery (
    seq        integer primary key autoincrement,
    crm        text    not null,
    operation  text    not null,            -- card, card-end, call, missed
    id         text    not null,            -- SubCallID, or CallID of a missed call
    pbx        text    not null,
    call_id    text    not null,
    lane       text    not null,            -- cards, calls
    body       text    not null,            -- JSON of the request, without what the CRM itself knows
    enriched   text,                        -- the request as sent, with entity and responsible; a repeat sends the same
    state      text    not null,            -- pending, delivered, dead, dropped, discarded
    revision   integer not null default 1,
    attempts   integer not null default 0,
    next_at    bigint  not null,
    wait       text    not null default 'retry', -- for next_at: retry, asked (by the CRM's Retry-After), taken (by a replica)
    expires_at bigint  not null,            -- cards: not sent after this
    created_at bigint  not null,
    constraint delivery_once unique (crm, operation, id)
);
create index delivery_by_call on delivery (call_id, pbx);
create index delivery_pending on delivery (crm, lane, next_at, seq) where state = 'pending';
create index delivery_order on delivery (crm, call_id, seq) where state = 'pending';
create index delivery_ended on delivery (state, crm, seq) where state <> 'pending' and state <> 'delivered';
create index delivery_expiring on delivery (crm, expires_at) where state = 'pending' and operation = 'card';

create table attempt (
    delivery   integer not null references delivery (seq),
    at         bigint  not null,
    status     integer,                     -- null: no answer
    answer     text,
    millis     bigint  not null
);
create index attempt_by_delivery on attempt (delivery);

-- Written to find out whether the store takes writes: always one row.
create table probe (
    at bigint not null
);
insert into probe (at) values (0);
