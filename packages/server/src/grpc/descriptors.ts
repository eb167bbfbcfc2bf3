/**
 * File descriptors as gRPC reflection sends them, so that clients such as grpcurl can read every message.
 *
 * proto-loader makes one descriptor per package, which differs from protoc's in three ways that make clients fail:
 *   – no file names the files that it depends on,
 *   – the well-known types of google.protobuf are in one file of an invented name instead of those that clients know,
 *   – the entry type of a map is named after its field (`Inputs`), where protoc and its readers say `InputsEntry`.
 * This file corrects all three. Its output is checked against grpcurl and Python's descriptor pool
 * (test/grpc/reflection.test.ts).
 */
import type { MessageTypeDefinition, PackageDefinition } from '@grpc/proto-loader';
// The module is CommonJS, and Node cannot detect the names of its exports.
import descriptor, {
  type IDescriptorProto,
  type IFieldDescriptorProto,
  type IFileDescriptorProto,
} from 'protobufjs/ext/descriptor.js';

const { FileDescriptorProto } = descriptor;

/** For each well-known message that is used, the file of protobuf's distribution that defines it. */
const WELL_KNOWN: Readonly<Record<string, readonly string[]>> = {
  'google/protobuf/any.proto': ['Any'],
  'google/protobuf/wrappers.proto': [
    'DoubleValue',
    'FloatValue',
    'Int64Value',
    'UInt64Value',
    'Int32Value',
    'UInt32Value',
    'BoolValue',
    'StringValue',
    'BytesValue',
  ],
};
const WELL_KNOWN_PACKAGE = 'google.protobuf';

/** The definitions, with descriptors that reflection can send. */
export function reflectedDefinitions(definitions: PackageDefinition): PackageDefinition {
  const decoded = new Map<string, IFileDescriptorProto>();
  for (const { fileDescriptorProtos } of Object.values(definitions)) {
    // For a service this property would be a method of that name, which does not exist.
    if (!Array.isArray(fileDescriptorProtos)) continue;
    for (const bytes of fileDescriptorProtos) {
      const file = FileDescriptorProto.toObject(FileDescriptorProto.decode(bytes)) as IFileDescriptorProto;
      decoded.set(file.name!, file);
    }
  }
  const files = [...decoded.values()].flatMap((file) => (file.package === WELL_KNOWN_PACKAGE ? split(file) : [file]));
  const fileOf = new Map(files.flatMap((file) => symbolsOf(file).map((symbol) => [symbol, file.name!] as const)));
  for (const file of files) {
    const scope = `.${file.package}`;
    for (const message of file.messageType ?? []) nameEntries(message, `${scope}.${message.name}`);
    const used = new Set(typesOf(file).map((type) => fileOf.get(resolved(type, scope, fileOf))));
    used.delete(file.name!);
    used.delete(undefined);
    file.dependency = [...(used as Set<string>)].sort();
  }
  const fileDescriptorProtos = files.map((file) =>
    Buffer.from(FileDescriptorProto.encode(FileDescriptorProto.fromObject(file)).finish()),
  );
  // Reflection reads only the descriptors, and one entry holds all of them.
  const [name, message] = Object.entries(definitions).find(([, one]) => Array.isArray(one.fileDescriptorProtos))!;
  return { [name]: { ...(message as MessageTypeDefinition<object, object>), fileDescriptorProtos } };
}

/**
 * Put the well-known types into the files where every client looks for them.
 *
 * @throws {Error} for one that is not listed
 */
function split(file: IFileDescriptorProto): IFileDescriptorProto[] {
  const listed = Object.values(WELL_KNOWN).flat();
  const missing = file.messageType?.find(({ name }) => !listed.includes(name!));
  if (missing) throw new Error(`WELL_KNOWN: expected ${missing.name}`);
  return Object.entries(WELL_KNOWN).map(([name, messages]) => ({
    ...file,
    name,
    messageType: file.messageType!.filter((message) => messages.includes(message.name!)),
  }));
}

/** Name the entry types of maps as protoc does, here and in the fields that refer to them. */
function nameEntries(message: IDescriptorProto, path: string): void {
  for (const nested of message.nestedType ?? []) {
    if (!nested.options?.mapEntry) {
      nameEntries(nested, `${path}.${nested.name}`);
      continue;
    }
    const field = message.field!.find((field) => isEntry(field, nested));
    if (!field) continue;
    nested.name = entryName(field.name!);
    field.typeName = `${path}.${nested.name}`;
  }
}

const isEntry = ({ typeName }: IFieldDescriptorProto, { name }: IDescriptorProto): boolean =>
  typeName === name || (typeName?.endsWith(`.${name}`) ?? false);

/** protoc's name for the entry type of a map: the field's name in camel case, followed by `Entry`. */
function entryName(field: string): string {
  return `${field.replace(/(?:^|_)([a-z0-9]?)/g, (_, letter: string) => letter.toUpperCase())}Entry`;
}

/** The types that fields and methods of a file refer to. */
function typesOf({ messageType, service }: IFileDescriptorProto): string[] {
  const ofMessage = ({ field, nestedType }: IDescriptorProto): string[] => [
    ...(field ?? []).flatMap(({ typeName }) => typeName || []),
    ...(nestedType ?? []).flatMap(ofMessage),
  ];
  const methods = (service ?? []).flatMap(({ method }) => method ?? []);
  return [
    ...(messageType ?? []).flatMap(ofMessage),
    ...methods.flatMap(({ inputType, outputType }) => [inputType!, outputType!]),
  ];
}

/**
 * The full name of a type to which a file of a package refers. The reference may be relative to the package or to one
 * that encloses it.
 */
function resolved(type: string, scope: string, fileOf: ReadonlyMap<string, string>): string {
  if (type.startsWith('.')) return type;
  for (let around = scope; around !== ''; around = around.slice(0, around.lastIndexOf('.'))) {
    if (fileOf.has(`${around}.${type}`)) return `${around}.${type}`;
  }
  return `.${type}`;
}

/** The full names of the messages and enums of a file. */
function symbolsOf({ package: name, messageType, enumType }: IFileDescriptorProto): string[] {
  const below = (path: string, message: IDescriptorProto): string[] => [
    `${path}.${message.name}`,
    ...(message.enumType ?? []).map((one) => `${path}.${message.name}.${one.name}`),
    ...(message.nestedType ?? []).flatMap((nested) => below(`${path}.${message.name}`, nested)),
  ];
  return [
    ...(messageType ?? []).flatMap((message) => below(`.${name}`, message)),
    ...(enumType ?? []).map((one) => `.${name}.${one.name}`),
  ];
}
