-- What administrators did.
create table audit (
    seq     bigint generated always as identity primary key,
    at      bigint not null,                -- milliseconds since 1970
    who     text   not null,
    action  text   not null,                -- retry, discard, retry-all, discard-all, reprocess, check
    subject text   not null,
    detail  text
);

-- Extensions that have calls, and nobody in a CRM.
create index call_party_unmapped on call_party (pbx, extension) where crm_user = '';
