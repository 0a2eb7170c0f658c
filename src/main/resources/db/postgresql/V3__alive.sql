-- Replicas that have something unforced in memory. Emptied when the database recovers from a crash, which loses that.
create unlogged table alive (
    replica text   not null primary key,
    at      bigint not null
);
