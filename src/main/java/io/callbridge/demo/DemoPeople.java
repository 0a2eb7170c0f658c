package io.callbridge.demo;

import java.util.List;

/** The invented people of the demo: employees with a phone, and customers the demo CRM knows. */
final class DemoPeople {

    /** An employee, and the extension of the phone on the desk. */
    record Employee(String user, String extension) {
    }

    /** What the CRM answers for a number it knows (contract section 3, {@code GET /entities}). */
    record Contact(String number, String id, String type, String name, String responsible) {

        String url() {
            return "http://crm.example/" + type + "s/" + id;
        }
    }

    static final List<Employee> EMPLOYEES = List.of(
            new Employee("anna", "101"),
            new Employee("boris", "102"),
            new Employee("clara", "103"),
            new Employee("dmitri", "104"),
            new Employee("elena", "105"),
            new Employee("fyodor", "111"));

    /** The last one belongs to nobody, so that the responsible of a missed call has to be found another way. */
    static final List<Contact> CONTACTS = List.of(
            new Contact("+79000000010", "ivanov", "contact", "Ivanov", "anna"),
            new Contact("+79000000020", "petrova", "contact", "Petrova", "boris"),
            new Contact("+79000000030", "smirnov", "contact", "Smirnov", "clara"),
            new Contact("+79000000040", "kuznetsova", "contact", "Kuznetsova", "dmitri"),
            new Contact("+79000000050", "volkov", "contact", "Volkov", "elena"),
            new Contact("+79000000060", "sokolova", "contact", "Sokolova", "fyodor"),
            new Contact("+79000000070", "northern-timber", "company", "Northern Timber", "anna"),
            new Contact("+79000000080", "lantern-books", "company", "Lantern Books", null));

    private DemoPeople() {
    }
}
