import { expect, test } from '@jest/globals';
import { plainFailure } from './plain-failure.js';

const noConnection = (cause: string): string =>
  `No connection established. Last error: ${cause}. Resolution note: `;

// Recorded from grpc-js 1.14 on Node 20 and 24.
test.each([
  [noConnection('Error: connect ENOENT /run/btfd/btfd.sock'), 'connect ENOENT /run/btfd/btfd.sock'],
  [
    noConnection('Error: connect ECONNREFUSED 127.0.0.1:9 (2026-11-25T10:28:22.384Z)'),
    'connect ECONNREFUSED 127.0.0.1:9',
  ],
  [`14 UNAVAILABLE: ${noConnection('connect ECONNREFUSED ::1:9')}`, 'connect ECONNREFUSED ::1:9'],
  [
    noConnection(
      '807CAC594C7F0000:error:0A00045C:SSL routines:ssl3_read_bytes:tlsv13 alert certificate required:../deps/openssl/openssl/ssl/record/rec_layer_s3.c:1601:SSL alert number 116\n (2026-11-25T10:28:24.347Z)',
    ),
    'tlsv13 alert certificate required',
  ],
  [noConnection('Error: certificate has expired (2026-11-25T13:03:24.347Z)'), 'certificate has expired'],
  [
    noConnection(
      "Error [ERR_TLS_CERT_ALTNAME_INVALID]: Hostname/IP does not match certificate's altnames: Host: b. is not in the cert's altnames: DNS:a (2026-11-25T13:03:24.347Z)",
    ),
    "Hostname/IP does not match certificate's altnames: Host: b. is not in the cert's altnames: DNS:a",
  ],
  [
    noConnection('Failed to connect (2026-11-25T10:28:22.384Z)'),
    'the connection was closed before HTTP/2 began',
  ],
  [noConnection('undefined'), 'there is no connection'],
  ['Name resolution failed for target dns:daemon.invalid:7443', 'the name daemon.invalid cannot be resolved'],
  [
    '14 UNAVAILABLE: Name resolution failed for target dns:daemon.invalid:7443',
    'the name daemon.invalid cannot be resolved',
  ],
  [
    'Deadline exceeded after 0.501s,name resolution: 0.002s,metadata filters: 0.001s,Waiting for LB pick',
    'no connection in time',
  ],
  ['Deadline exceeded after 3.000s', 'no connection in time'],
  [
    '4 DEADLINE_EXCEEDED: Deadline exceeded after 0.501s,LB pick: 0.002s,remote_addr=127.0.0.1:44137',
    'no response in time',
  ],
  ['no such object', 'no such object'],
])('%j is %j', (text, plain) => {
  expect(plainFailure(text)).toBe(plain);
});
