/** Times are UTC inside and shown in the browser's zone, which is named. */

const zoneName = Intl.DateTimeFormat().resolvedOptions().timeZone;

const dateTime = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const zoneOf = new Intl.DateTimeFormat("en-GB", { timeZoneName: "short" });
const dayOnly = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeZone: "UTC" });
const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });

/** "21 Nov 2026, 10:15 CET" */
export function moment(utc: string): string {
  const at = new Date(utc);
  if (Number.isNaN(at.getTime())) return utc;
  const zone = zoneOf.formatToParts(at).find((part) => part.type === "timeZoneName")?.value ?? zoneName;
  return `${dateTime.format(at)} ${zone}`;
}

/** A calendar day ("2015-03-12" or the day of a moment), never moved by the zone: "12 Mar 2015". */
export function day(isoDay: string): string {
  const at = new Date(isoDay.slice(0, 10));
  return Number.isNaN(at.getTime()) ? isoDay : dayOnly.format(at);
}

/** "3 minutes ago" */
export function ago(utc: string, now: number = Date.now()): string {
  const seconds = (new Date(utc).getTime() - now) / 1000;
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["year", 31_557_600],
    ["month", 2_629_800],
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ];
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return relative.format(Math.round(seconds / length), unit);
  }
  return relative.format(0, "second");
}

/** Seconds since the start of a run as its clock: "13:00", on later days "day 2, 13:00". */
export function runClock(seconds: number): string {
  const dayNumber = Math.floor(seconds / 86_400);
  const minutes = Math.round((seconds % 86_400) / 60);
  const clock = `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  return dayNumber === 0 ? clock : `day ${dayNumber + 1}, ${clock}`;
}
