-- Where the trace of an event, and of what follows from it, goes on: a W3C traceparent. Null: it was not traced.
alter table event add column trace text;
alter table delivery add column trace text;
