import { BtfService } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';

/** methods are the methods of the service, as grpc-js knows them. */
export const methods = toServiceDefinition(BtfService);
