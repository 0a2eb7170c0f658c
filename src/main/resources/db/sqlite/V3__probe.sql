-- Its inbox, which has one, is another file.
create table probe (
    at bigint not null
);
insert into probe (at) values (0);
