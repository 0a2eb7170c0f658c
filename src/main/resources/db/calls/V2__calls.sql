-- A call is a document: its events, what was decided and why, when to look again. The columns are what is searched, or due.
create table call (
    pbx       text   not null,
    call_id   text   not null,
    version   bigint not null,              -- which look wrote it: of two at the same time one wins, the other is taken again
    first_at  bigint not null,              -- arrival of its first event, milliseconds since 1970
    last_at   bigint not null,              -- arrival of its last event
    due_at    bigint,                       -- when it is to be looked at although no event comes; null: never
    outcome   text   not null,              -- open, answered, missed, unanswered, local
    open_legs bigint not null,              -- legs that have begun and not ended
    number    text,                         -- the outside party, in E.164 where it can be read
    parties   text   not null,              -- JSON object: extension to CRM user, "" for one without
    document  ${bytes} not null,             -- JSON
    primary key (call_id, pbx)
);
create index call_by_first on call (first_at, pbx, call_id);
create index call_of_pbx on call (pbx, first_at);
create index call_by_outcome on call (outcome, first_at);
create index call_by_number on call (number, first_at) where number is not null;
create index call_due on call (due_at) where due_at is not null;

-- What a call is found by besides: its legs, the extensions and users that took part, its CallBackIDs.
create table call_part (
    pbx     text not null,
    kind    text not null,                  -- leg, extension, unmapped, user, callback
    name    text not null,
    call_id text not null,
    primary key (pbx, kind, name, call_id)
) ${clustered};
create index call_part_of_call on call_part (call_id, pbx);

-- The outbox: one row per effect, named after the call, so that folding twice creates nothing twice.
create table delivery (
    seq        ${serial},
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
    trace      text,                        -- where the trace goes on: a W3C traceparent; null: it was not traced
    constraint delivery_once unique (crm, operation, id, pbx)
);
create index delivery_by_call on delivery (call_id, pbx);
create index delivery_pending on delivery (crm, lane, next_at, seq) where state = 'pending';
create index delivery_ended on delivery (state, crm, seq) where state <> 'pending' and state <> 'delivered';
create index delivery_expiring on delivery (crm, expires_at) where state = 'pending' and operation = 'card';
-- Only what was tried and waits again is in it: it costs a delivery that succeeds nothing.
create index delivery_failing on delivery (crm, seq) where state = 'pending' and attempts > 0;
