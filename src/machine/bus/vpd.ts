/**
 * Vital product data of a PCI card: the read-only resource's keywords. Source: PCI Local Bus Specification 3.0,
 * appendix I; Linux lib: drivers/pci/vpd.c. Large resources: tag 0x82 identifier string, 0x90 VPD-R, 0x91 VPD-W; small
 * resource 0x78 ends.
 */
const VPD_R = 0x90;

/** Keywords of VPD-R (`SN`, `PN`, `EC`, ...) with their text, blanks trimmed. Stops quietly at the first thing that makes no sense. */
export function parseVpd(data: Uint8Array): Map<string, string> {
  const keywords = new Map<string, string>();
  let at = 0;
  while (at + 2 < data.length && data[at]! & 0x80) {
    const tag = data[at]!;
    const length = data[at + 1]! | (data[at + 2]! << 8);
    const end = Math.min(data.length, at + 3 + length);
    if (tag === VPD_R) readKeywords(data.subarray(at + 3, end), keywords);
    at = end;
  }
  return keywords;
}

function readKeywords(data: Uint8Array, into: Map<string, string>): void {
  for (let at = 0; at + 2 < data.length; ) {
    const name = String.fromCharCode(data[at]!, data[at + 1]!);
    const length = data[at + 2]!;
    if (!/^[A-Z0-9]{2}$/.test(name) || at + 3 + length > data.length) return;
    // RV is a checksum byte with padding, no text.
    const text = String.fromCharCode(...data.subarray(at + 3, at + 3 + length)).replace(/\0+$/, '').trim();
    if (name !== 'RV' && /^[\x20-\x7e]*$/.test(text)) into.set(name, text);
    at += 3 + length;
  }
}
