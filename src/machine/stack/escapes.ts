/** Names in mounts, mountinfo, swaps and etab. Source: fs/seq_file.c, seq_path(): blank, tab, newline and backslash (in places also #) as three octal digits. */
import type { ByteString } from '../../host/host.ts';

export const unescapeOctal = (text: ByteString): ByteString => text.replace(/\\([0-3][0-7]{2})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
