-- What only one of several replicas may do at a time, and who does it.
create table lease (
    name       text        primary key,
    holder     text        not null,
    expires_at timestamptz not null         -- by the clock of the database
);
