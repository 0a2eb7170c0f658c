package io.callbridge.crm;

/**
 * What a person would find in a CRM, in the bridge's words, so that one expectation can be held against every CRM. A value
 * that this CRM does not keep is {@code null}.
 *
 * @param kind what it is
 * @param id the leg (a missed call: the call) as the CRM knows it; {@code null}: it keeps no foreign id here
 * @param user the CRM's own id of the employee
 * @param number the outside party, digits only
 * @param direction {@code in} or {@code out}
 * @param status the CRM's own word for the result
 * @param seconds how long they talked
 * @param startedAt seconds since 1970
 * @param recording address of the recording
 */
record CrmEffect(Kind kind, String id, String user, String number, String direction, String status, Long seconds, Long startedAt,
        String recording) {

    enum Kind {
        CARD, CARD_END, CALL, MISSED, TASK
    }

    static String digits(String number) {
        return number == null ? null : number.replaceAll("[^0-9]", "");
    }
}
