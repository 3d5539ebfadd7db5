import type { DescMessage, Message, MessageInitShape } from '@bufbuild/protobuf';

/** Init is the plain object from which a message is made. */
export type Init<Desc extends DescMessage> = Exclude<MessageInitShape<Desc>, Message>;
