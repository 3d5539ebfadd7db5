import {
  create,
  type DescEnum,
  type DescExtension,
  type DescFile,
  type DescMessage,
  type DescService,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from '@bufbuild/protobuf';
import { nestedTypes } from '@bufbuild/protobuf/reflect';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { BtfService, ErrorInfoSchema, file_btf_v1_errors, StatusSchema } from '@btfd/api';
import { toServiceDefinition } from '@btfd/api/grpc-js';
import {
  Health,
  ServerReflection,
  type ServerReflectionRequestSchema,
  ServerReflectionResponseSchema,
} from '@btfd/api/grpc-services';
import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';

type Request = MessageShape<typeof ServerReflectionRequestSchema>;
type Response = MessageShape<typeof ServerReflectionResponseSchema>;
type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

/** The services that are listed. */
const SERVICES = [BtfService, Health];
/** Files of messages in trailers, which no service imports. */
const FILES = [file_btf_v1_errors, StatusSchema.file, ErrorInfoSchema.file];

/**
 * Reflection serves server reflection, as `grpc.reflection.v1` and v1alpha, which are equal. It knows `btf.v1`, the errors in
 * trailers, and health.
 */
export class Reflection {
  readonly #files = new Map<string, DescFile>();
  /** The encoded descriptors that were asked for. */
  readonly #encoded = new Map<DescFile, Uint8Array>();
  /** The file of each symbol, by its full name. Made at the first request. */
  #symbols: ReadonlyMap<string, DescFile> | null = null;

  constructor() {
    for (const file of [...SERVICES.map((service) => service.file), ...FILES]) {
      for (const each of withImports(file)) this.#files.set(each.proto.name, each);
    }
  }

  addToServer(server: Pick<Server, 'addService'>): void {
    const { serverReflectionInfo: method } = toServiceDefinition(ServerReflection);
    const serverReflectionInfo = (stream: ServerDuplexStream<Request, Response>): void => {
      stream.on('data', (request: Request) => {
        // While a client does not read its responses, no more requests are read.
        if (!stream.write(this.#response(request))) stream.pause();
      });
      stream.on('drain', () => stream.resume());
      stream.on('end', () => stream.end());
    };
    for (const version of ['v1', 'v1alpha']) {
      const path = `/grpc.reflection.${version}.ServerReflection/${ServerReflection.method.serverReflectionInfo.name}`;
      server.addService({ serverReflectionInfo: { ...method, path } }, { serverReflectionInfo });
    }
  }

  #response(originalRequest: Request): Response {
    return create(ServerReflectionResponseSchema, {
      validHost: originalRequest.host,
      originalRequest,
      messageResponse: this.#answer(originalRequest.messageRequest),
    });
  }

  #answer({ case: kind, value }: Request['messageRequest']): Answer {
    switch (kind) {
      case 'listServices':
        return {
          case: 'listServicesResponse',
          value: { service: SERVICES.map(({ typeName }) => ({ name: typeName })) },
        };
      case 'fileByFilename':
        return this.#fileAnswer(this.#files.get(value), `file ${value}`);
      case 'fileContainingSymbol':
        return this.#fileAnswer(this.#symbolFiles().get(value), `symbol ${value}`);
      case 'fileContainingExtension': {
        const { containingType, extensionNumber } = value;
        const extension = this.#extensionsOf(containingType).find(({ number }) => number === extensionNumber);
        return this.#fileAnswer(extension?.file, `extension ${extensionNumber} of ${containingType}`);
      }
      case 'allExtensionNumbersOfType': {
        if (!this.#types().some((type) => type.kind === 'message' && type.typeName === value)) {
          return notFound(`message ${value}`);
        }
        const extensionNumber = this.#extensionsOf(value).map(({ number }) => number);
        return { case: 'allExtensionNumbersResponse', value: { baseTypeName: value, extensionNumber } };
      }
      case undefined:
        return failure(
          status.INVALID_ARGUMENT,
          'the request has no question, or one that this daemon does not know',
        );
    }
  }

  /** Returns the answer with a file and all its imports, of which a client may know none. */
  #fileAnswer(file: DescFile | undefined, what: string): Answer {
    if (file === undefined) return notFound(what);
    const fileDescriptorProto = withImports(file).map((each) => this.#bytesOf(each));
    return { case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
  }

  #bytesOf(file: DescFile): Uint8Array {
    const bytes = this.#encoded.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto);
    this.#encoded.set(file, bytes);
    return bytes;
  }

  #symbolFiles(): ReadonlyMap<string, DescFile> {
    this.#symbols ??= symbolFilesOf(this.#files.values());
    return this.#symbols;
  }

  /** Returns the types, services and extensions of all files. */
  #types(): (DescEnum | DescExtension | DescMessage | DescService)[] {
    return [...this.#files.values()].flatMap((file) => Array.from(nestedTypes(file)));
  }

  #extensionsOf(typeName: string): DescExtension[] {
    return this.#types()
      .filter((type) => type.kind === 'extension')
      .filter(({ extendee }) => extendee.typeName === typeName);
  }
}

function notFound(what: string): Answer {
  return failure(status.NOT_FOUND, `this daemon serves no ${what}`);
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { case: 'errorResponse', value: { errorCode, errorMessage } };
}

/** Returns a file and its imports, each once and before those that it imports. */
function withImports(file: DescFile): DescFile[] {
  const files = new Set([file]);
  // A set also iterates what is added meanwhile.
  for (const { dependencies } of files) for (const each of dependencies) files.add(each);
  return [...files];
}

function symbolFilesOf(files: Iterable<DescFile>): Map<string, DescFile> {
  const symbols = new Map<string, DescFile>();
  for (const file of files) for (const symbol of symbolsOf(file)) symbols.set(symbol, file);
  return symbols;
}

/** Yields the full names of what a file declares. */
function* symbolsOf(file: DescFile): Generator<string> {
  for (const type of nestedTypes(file)) {
    yield type.typeName;
    if (type.kind === 'message') {
      // Also the oneofs of optional fields, which have no description of their own.
      for (const { name } of [...type.fields, ...type.proto.oneofDecl]) yield `${type.typeName}.${name}`;
    } else if (type.kind === 'service') {
      for (const { name } of type.methods) yield `${type.typeName}.${name}`;
    } else if (type.kind === 'enum') {
      // The values of an enum are in the scope of the enum itself.
      const scope = type.typeName.slice(0, -type.name.length);
      for (const { name } of type.values) yield scope + name;
    }
  }
}
