import { createHash } from 'node:crypto';

/**
 * reproducibleSbom returns a bill of materials (CycloneDX) that depends only on the commit: sorted, with the time of the
 * commit, and with a serial number derived from its content.
 *
 * @param {string} text the output of `pnpm sbom`
 * @param {Date} time of the commit
 * @returns {string}
 */
export function reproducibleSbom(text, time) {
  const bom = JSON.parse(text);
  bom.metadata.timestamp = time.toISOString();
  bom.components = sortedBy(bom.components, 'bom-ref');
  bom.dependencies = sortedBy(bom.dependencies, 'ref').map(({ ref, dependsOn }) => ({
    ref,
    dependsOn: dependsOn.toSorted(),
  }));
  bom.serialNumber = '';
  return `${JSON.stringify({ ...bom, serialNumber: `urn:uuid:${uuidOf(JSON.stringify(bom))}` }, null, 2)}\n`;
}

function sortedBy(items, key) {
  return items.toSorted((a, b) => (a[key] < b[key] ? -1 : 1));
}

/** A UUID of version 8, whose content RFC 9562 leaves to the application. */
function uuidOf(text) {
  const digest = createHash('sha256').update(text).digest('hex');
  const variant = ((Number.parseInt(digest[16], 16) & 3) | 8).toString(16);
  return [
    digest.slice(0, 8),
    digest.slice(8, 12),
    `8${digest.slice(13, 16)}`,
    `${variant}${digest.slice(17, 20)}`,
    digest.slice(20, 32),
  ].join('-');
}
