-- What a host said of itself last (controller/fleet/last_report.h), for rollouts that are planned
-- before it comes back. Empty: nothing yet.
ALTER TABLE hosts ADD COLUMN report BLOB NOT NULL DEFAULT x'';
