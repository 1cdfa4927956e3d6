// Reads mails (.eml files, named as arguments) with parsers that have nothing in common with those that wrote them,
// and prints what a mail program would see as JSON, one object per file.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../frontend/package.json", import.meta.url));
const PostalMime = require("postal-mime").default ?? require("postal-mime");
const ICAL = require("ical.js").default ?? require("ical.js");

function calendar(text) {
  const root = new ICAL.Component(ICAL.parse(text));
  return {
    method: root.getFirstPropertyValue("method"),
    timezones: root.getAllSubcomponents("vtimezone").map((zone) => zone.getFirstPropertyValue("tzid")),
    events: root.getAllSubcomponents("vevent").map((component) => {
      for (const zone of root.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
      const event = new ICAL.Event(component);
      return {
        uid: event.uid,
        summary: event.summary,
        sequence: component.getFirstPropertyValue("sequence"),
        organizer: event.organizer,
        attendees: event.attendees.map((attendee) => attendee.getFirstValue()),
        start: event.startDate.toJSDate().toISOString(),
        end: event.endDate.toJSDate().toISOString(),
      };
    }),
  };
}

const found = [];
for (const path of process.argv.slice(2)) {
  const mail = await PostalMime.parse(await readFile(path), { attachmentEncoding: "utf8" });
  const parts = mail.attachments.filter((part) => part.mimeType.startsWith("text/calendar"));
  found.push({
    subject: mail.subject,
    from: mail.from?.address,
    to: (mail.to ?? []).map((person) => person.address),
    messageId: mail.messageId,
    headers: Object.fromEntries(mail.headers.map(({ key, value }) => [key, value])),
    text: mail.text ?? "",
    html: mail.html ?? "",
    attachments: mail.attachments.map((part) => ({ name: part.filename, type: part.mimeType, method: part.method })),
    calendars: parts.map((part) => calendar(part.content)),
  });
}
process.stdout.write(JSON.stringify(found));
