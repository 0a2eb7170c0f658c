-- The inbox: what was acknowledged and has not led to all that it leads to. One row for all events that waited together.
create table page (
    seq    ${serial},
    at     bigint not null,                 -- arrival of its oldest event, milliseconds since 1970
    events ${bytes} not null                 -- JSON objects of the events, one behind the other
);

-- What must be known again: what a CRM said, a token, who holds a lease. Of a call it goes with the call.
create table memory (
    about   text   not null,                -- PBX, a blank, and SubCallID or CallID; empty: the CRM itself, or Callbridge
    crm     text   not null,                -- empty: Callbridge
    name    text   not null,
    value   text   not null,
    ends_at bigint,                         -- milliseconds since 1970; null: it has no end
    primary key (about, crm, name)
);

-- What administrators did.
create table audit (
    seq     ${serial},
    at      bigint not null,                -- milliseconds since 1970
    who     text   not null,
    action  text   not null,                -- retry, discard, retry-all, discard-all, reprocess, check
    subject text   not null,
    detail  text
);

-- Written to find out whether the store takes writes: always one row, in each database.
create table probe (
    at bigint not null
);
insert into probe (at) values (0);
