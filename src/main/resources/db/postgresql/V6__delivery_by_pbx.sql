-- Two PBXs may use equal ids: an effect is one of its PBX.
alter table delivery drop constraint delivery_once;
alter table delivery add constraint delivery_once unique (crm, operation, id, pbx);

-- What a CRM said is about the call of a PBX: the PBX's name and a blank stand in front of the id.
update crm_memory set about = coalesce(
    (select min(d.pbx) from delivery d where d.crm = crm_memory.crm and d.operation in ('card', 'answer', 'card-end', 'call', 'recording',
        'missed', 'task') and d.id in (crm_memory.about, substr(crm_memory.about, length('missed-') + 1))),
    (select min(d.pbx) from delivery d where d.call_id = crm_memory.about), '') || ' ' || about where about <> '';
