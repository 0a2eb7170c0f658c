-- What a CRM answered and must be told again: the id that it gave a call, a token. Goes with the call it is about.
create table crm_memory (
    about text not null,                    -- SubCallID or CallID; empty: the CRM itself
    crm   text not null,
    name  text not null,
    value text not null,
    primary key (about, crm, name)
);

-- How many requests each CRM takes now, from all replicas together.
create table crm_rate (
    name    text not null primary key,
    permits real not null,
    at      real not null            -- milliseconds since 1970
);
