-- What administrators did.
create table audit (
    seq     integer primary key autoincrement,
    at      bigint not null,                -- milliseconds since 1970
    who     text   not null,
    action  text   not null,                -- retry, discard, retry-all, discard-all, reprocess, check
    subject text   not null,
    detail  text
);

-- Which calls of a PBX were heard of last.
create index call_of_pbx on call (pbx, last_at);

-- Only what was tried and waits again is in it: it costs a delivery that succeeds nothing.
create index delivery_failing on delivery (crm, seq) where state = 'pending' and attempts > 0;
