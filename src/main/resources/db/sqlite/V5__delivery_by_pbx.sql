-- Two PBXs may use equal ids: an effect is one of its PBX. SQLite changes a constraint only with the whole table.
create table delivery_of_pbx (
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
    attempts   integer not null default 0,
    next_at    bigint  not null,
    wait       text    not null default 'retry', -- for next_at: retry, asked (by the CRM's Retry-After), taken (by a replica)
    expires_at bigint  not null,            -- cards: not sent after this
    created_at bigint  not null,
    trace      text,
    constraint delivery_once unique (crm, operation, id, pbx)
);
insert into delivery_of_pbx (seq, crm, operation, id, pbx, call_id, lane, body, enriched, state, revision, attempts, next_at, wait,
    expires_at, created_at, trace)
    select seq, crm, operation, id, pbx, call_id, lane, body, enriched, state, revision, attempts, next_at, wait,
    expires_at, created_at, trace from delivery;
drop table delivery;
alter table delivery_of_pbx rename to delivery;
create index delivery_by_call on delivery (call_id, pbx);
create index delivery_pending on delivery (crm, lane, next_at, seq) where state = 'pending';
create index delivery_order on delivery (crm, call_id, seq) where state = 'pending';
create index delivery_ended on delivery (state, crm, seq) where state <> 'pending' and state <> 'delivered';
create index delivery_expiring on delivery (crm, expires_at) where state = 'pending' and operation = 'card';
create index delivery_failing on delivery (crm, seq) where state = 'pending' and attempts > 0;

-- What a CRM said is about the call of a PBX: the PBX's name and a blank stand in front of the id.
update crm_memory set about = coalesce(
    (select min(d.pbx) from delivery d where d.crm = crm_memory.crm and d.operation in ('card', 'answer', 'card-end', 'call', 'recording',
        'missed', 'task') and d.id in (crm_memory.about, substr(crm_memory.about, length('missed-') + 1))),
    (select min(d.pbx) from delivery d where d.call_id = crm_memory.about), '') || ' ' || about where about <> '';
