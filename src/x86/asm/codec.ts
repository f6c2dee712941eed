import type * as Iced from "npm:iced-x86@1.21.0";
import { AssemblerUnavailableError } from "./error.ts";

/** The code size of the processor: 16-bit, 32-bit or 64-bit. */
export type Bits = 16 | 32 | 64;

// The library reads its WebAssembly file when it is imported, which a process without --allow-read
// may not do; importing this module must not fail for that, so the failure is kept until first use.
let loaded: typeof Iced | undefined;
let loadFailure: unknown;
try {
  loaded = await import("npm:iced-x86@1.21.0");
} catch (error) {
  loadFailure = error;
}

function iced(): typeof Iced {
  if (loaded === undefined) throw new AssemblerUnavailableError(loadFailure);
  return loaded;
}

/** One encoding of an instruction, as the instruction set reference tabulates them. */
export interface Form {
  code: number;
  /** The operand kinds by their name in the encoder library, implied operands included. */
  kinds: string[];
  /** Indices of the operands that a programmer writes. */
  explicit: number[];
  /** Is it encodable in 16-, 32-, 64-bit mode? */
  modes: Record<Bits, boolean>;
  /** 16, 32, 64, or 0 where the encoding does not depend on the operand size. */
  operandSize: number;
  /** 16, 32, 64, or 0 where the encoding does not depend on the address size. */
  addressSize: number;
  /** Size of the memory operand in bytes; 0 where it has none or any. */
  memorySize: number;
  /** The type of the memory operand by its name in the encoder library. */
  memoryType: string;
  /** In 64-bit mode the operand size is 64 bits without a prefix. */
  default64: boolean;
  /** Legacy, VEX, ... in the order in which the assembler prefers them. */
  preference: number;
  lockable: boolean;
  repeatable: boolean;
  repneable: boolean;
}

/** An operand with its final value. */
export type EncoderOperand =
  | { kind: "register"; name: string }
  | { kind: "immediate"; value: bigint }
  | { kind: "far"; selector: number; offset: bigint }
  | {
    kind: "memory";
    base?: string;
    index?: string;
    scale: number;
    displacement: bigint;
    /** Bytes: 0 (none), 1, or the full size 2, 4 or 8; the latter fixes the address size. */
    displacementSize: number;
    segment?: string;
  }
  /** An implied memory operand of a string instruction; address size in bits. */
  | { kind: "implied"; addressSize: Bits; segment?: string };

/** LOCK and the repeat prefixes. */
export interface Prefixes {
  lock?: boolean;
  rep?: boolean;
  repne?: boolean;
}

let mnemonicCodes: Map<string, number[]> | undefined;
const formsByMnemonic = new Map<string, readonly Form[]>();

/** All forms of a lower-case mnemonic, in the library's order; empty when there is none. */
export function formsOf(mnemonic: string): readonly Form[] {
  let forms = formsByMnemonic.get(mnemonic);
  if (forms === undefined) {
    mnemonicCodes ??= indexMnemonics();
    forms = (mnemonicCodes.get(mnemonic) ?? []).map(describeCode).filter((form) => form !== null);
    if (forms.length > 0) formsByMnemonic.set(mnemonic, forms);
  }
  return forms;
}

function indexMnemonics(): Map<string, number[]> {
  const { Code, Mnemonic, Instruction } = iced();
  const index = new Map<string, number[]>();
  const instruction = new Instruction();
  const names = Mnemonic as unknown as Record<number, string>;
  const count = Object.keys(Code).length / 2;
  for (let code = 0; code < count; code++) {
    instruction.code = code;
    const name = names[instruction.mnemonic].toLowerCase();
    const codes = index.get(name);
    if (codes) codes.push(code);
    else index.set(name, [code]);
  }
  instruction.free();
  return index;
}

function describeCode(code: number): Form | null {
  const { CodeExt, OpCodeOperandKind, MemorySize, MemorySizeExt, EncodingKind } = iced();
  const info = CodeExt.opCode(code);
  try {
    // MVEX is Knights Corner's encoding of EVEX instructions, which no processor KVM runs on has.
    if (!info.isInstruction || info.encoding === EncodingKind.MVEX) return null;
    const kinds = Array.from({ length: info.opCount }, (_, i) => OpCodeOperandKind[info.opKind(i)]);
    return {
      code,
      kinds,
      explicit: explicitPlaces(kinds),
      modes: {
        16: info.isAvailableInMode(16),
        32: info.isAvailableInMode(32),
        64: info.isAvailableInMode(64),
      },
      operandSize: info.operandSize,
      addressSize: info.addressSize,
      memorySize: MemorySizeExt.size(info.memorySize),
      memoryType: MemorySize[info.memorySize],
      default64: info.defaultOpSize64 || info.forceOpSize64,
      // A form that only a decoder option enables is one of a long gone processor.
      preference: info.encoding + (info.decoderOption === 0 ? 0 : 10),
      lockable: info.canUseLockPrefix,
      repeatable: info.canUseRepPrefix,
      repneable: info.canUseRepnePrefix,
    };
  } finally {
    info.free();
  }
}

/** String instructions imply all their operands, the masked moves only where they store. */
function explicitPlaces(kinds: readonly string[]): number[] {
  if (kinds.some((kind) => /^(seg_rSI|es_rDI|seg_rBX_al)$/.test(kind))) return [];
  return kinds.flatMap((kind, index) => kind === "seg_rDI" ? [] : [index]);
}

const encoders = new Map<Bits, Iced.Encoder>();
const registerIds = new Map<string, number>();

function registerId(name: string): number {
  let id = registerIds.get(name);
  if (id === undefined) {
    const ids = iced().Register as unknown as Record<string, number>;
    // The library calls r8b to r15b R8L to R15L.
    id = ids[name.replace(/^(r\d+)b$/, "$1l").toUpperCase()];
    if (id === undefined) throw new RangeError(`the encoder knows no register ${name}`);
    registerIds.set(name, id);
  }
  return id;
}

/**
 * Encodes one instruction at `address`.
 *
 * @throws {Error} The library's message when the combination cannot be encoded.
 */
export function encode(
  form: Form,
  bits: Bits,
  address: bigint,
  operands: readonly EncoderOperand[],
  prefixes: Prefixes,
): Uint8Array {
  const { Instruction, Encoder } = iced();
  let encoder = encoders.get(bits);
  if (encoder === undefined) encoders.set(bits, encoder = new Encoder(bits));
  const instruction = Instruction.create(form.code);
  try {
    operands.forEach((operand, index) => setOperand(instruction, form, bits, index, operand));
    if (prefixes.lock) instruction.hasLockPrefix = true;
    if (prefixes.rep) instruction.hasRepPrefix = true;
    if (prefixes.repne) instruction.hasRepnePrefix = true;
    encoder.encode(instruction, address);
    return encoder.takeBuffer();
  } catch (error) {
    encoder.takeBuffer(); // drop the bytes that were written before the failure
    throw error;
  } finally {
    instruction.free();
  }
}

function setOperand(
  instruction: Iced.Instruction,
  form: Form,
  bits: Bits,
  index: number,
  operand: EncoderOperand,
): void {
  const { OpKind } = iced();
  const kind = form.kinds[index];
  switch (operand.kind) {
    case "register":
      instruction.setOpKind(index, OpKind.Register);
      instruction.setOpRegister(index, registerId(operand.name));
      return;
    case "immediate":
      if (/^(br|xbegin)/.test(kind)) return setBranch(instruction, kind, bits, operand.value);
      instruction.setOpKind(index, immediateKind(form, index));
      instruction.setImmediateU64(index, BigInt.asUintN(64, operand.value));
      return;
    case "far":
      instruction.setOpKind(index, kind === "farbr2_2" ? OpKind.FarBranch16 : OpKind.FarBranch32);
      instruction.farBranchSelector = operand.selector;
      if (kind === "farbr2_2") instruction.farBranch16 = Number(operand.offset);
      else instruction.farBranch32 = Number(operand.offset);
      return;
    case "memory":
      instruction.setOpKind(index, OpKind.Memory);
      if (operand.base !== undefined) instruction.memoryBase = registerId(operand.base);
      if (operand.index !== undefined) {
        instruction.memoryIndex = registerId(operand.index);
        instruction.memoryIndexScale = operand.scale;
      }
      instruction.memoryDisplSize = operand.displacementSize;
      instruction.memoryDisplacement = operand.displacement;
      if (operand.segment !== undefined) instruction.segmentPrefix = registerId(operand.segment);
      return;
    case "implied":
      return setImplied(instruction, kind, index, operand);
  }
}

function setBranch(
  instruction: Iced.Instruction,
  kind: string,
  bits: Bits,
  target: bigint,
): void {
  const { OpKind } = iced();
  if (kind.startsWith("br16")) {
    instruction.setOpKind(0, OpKind.NearBranch16);
    instruction.nearBranch16 = Number(BigInt.asUintN(16, target));
  } else if (kind.startsWith("br64") || (kind.startsWith("xbegin") && bits === 64)) {
    instruction.setOpKind(0, OpKind.NearBranch64);
    instruction.nearBranch64 = BigInt.asUintN(64, target);
  } else {
    instruction.setOpKind(0, OpKind.NearBranch32);
    instruction.nearBranch32 = Number(BigInt.asUintN(32, target));
  }
}

function immediateKind(form: Form, index: number): number {
  const { OpKind } = iced();
  // ENTER, EXTRQ and INSERTQ have two immediates; the library keeps the second one apart.
  if (index > 0 && form.kinds[index - 1].startsWith("imm")) return OpKind.Immediate8_2nd;
  switch (form.kinds[index]) {
    case "imm8sex16":
      return OpKind.Immediate8to16;
    case "imm8sex32":
      return OpKind.Immediate8to32;
    case "imm8sex64":
      return OpKind.Immediate8to64;
    case "imm16":
      return OpKind.Immediate16;
    case "imm32":
      return OpKind.Immediate32;
    case "imm32sex64":
      return OpKind.Immediate32to64;
    case "imm64":
      return OpKind.Immediate64;
    default:
      return OpKind.Immediate8;
  }
}

function setImplied(
  instruction: Iced.Instruction,
  kind: string,
  index: number,
  operand: { addressSize: Bits; segment?: string },
): void {
  const { OpKind } = iced();
  const bySize = (word: number, dword: number, qword: number): number =>
    operand.addressSize === 16 ? word : operand.addressSize === 32 ? dword : qword;
  if (operand.segment !== undefined) instruction.segmentPrefix = registerId(operand.segment);
  switch (kind) {
    case "es_rDI":
      instruction.setOpKind(
        index,
        bySize(OpKind.MemoryESDI, OpKind.MemoryESEDI, OpKind.MemoryESRDI),
      );
      return;
    case "seg_rSI":
      instruction.setOpKind(
        index,
        bySize(OpKind.MemorySegSI, OpKind.MemorySegESI, OpKind.MemorySegRSI),
      );
      return;
    case "seg_rDI":
      instruction.setOpKind(
        index,
        bySize(OpKind.MemorySegDI, OpKind.MemorySegEDI, OpKind.MemorySegRDI),
      );
      return;
    case "seg_rBX_al":
      instruction.setOpKind(index, OpKind.Memory);
      instruction.memoryBase = bySize(registerId("bx"), registerId("ebx"), registerId("rbx"));
      instruction.memoryIndex = registerId("al");
      return;
  }
}

/** One decoded instruction. */
export interface Decoded {
  length: number;
  text: string;
  valid: boolean;
}

let formatter: Iced.Formatter | undefined;

/** Decodes at most `count` instructions; names branch targets that `nameOf` knows. */
export function decode(
  bytes: Uint8Array,
  bits: Bits,
  origin: bigint,
  count: number,
  nameOf: (address: bigint) => string | undefined,
): Decoded[] {
  const { Decoder, DecoderError, Instruction } = iced();
  formatter ??= createFormatter();
  const decoder = new Decoder(bits, bytes, 0);
  const instruction = new Instruction();
  const decoded: Decoded[] = [];
  try {
    decoder.ip = BigInt.asUintN(64, origin);
    while (decoder.canDecode && decoded.length < count) {
      const start = decoder.position;
      decoder.decodeOut(instruction);
      if (instruction.isInvalid) {
        // What is cut short is shown whole; after a bad byte the next one may begin an instruction.
        const length = decoder.lastError === DecoderError.NoMoreBytes ? bytes.length - start : 1;
        decoder.position = start + length;
        decoder.ip = BigInt.asUintN(64, origin + BigInt(start + length));
        decoded.push({ length, text: "", valid: false });
        continue;
      }
      let text = formatter.format(instruction);
      const target = nearTarget(instruction);
      const name = target === undefined ? undefined : nameOf(target);
      if (name !== undefined) text = text.replace(/0x[0-9a-f]+$/, name);
      decoded.push({ length: instruction.length, text, valid: true });
    }
    return decoded;
  } finally {
    instruction.free();
    decoder.free();
  }
}

function nearTarget(instruction: Iced.Instruction): bigint | undefined {
  const { OpKind } = iced();
  const kind = instruction.opCount > 0 ? instruction.opKind(0) : OpKind.Register;
  const near = kind === OpKind.NearBranch16 || kind === OpKind.NearBranch32 ||
    kind === OpKind.NearBranch64;
  return near ? instruction.nearBranchTarget : undefined;
}

function createFormatter(): Iced.Formatter {
  const { Formatter, FormatterSyntax } = iced();
  const created = new Formatter(FormatterSyntax.Nasm);
  created.hexPrefix = "0x";
  created.hexSuffix = "";
  created.uppercaseHex = false;
  created.smallHexNumbersInDecimal = false;
  created.branchLeadingZeros = false;
  created.spaceAfterOperandSeparator = true;
  created.ripRelativeAddresses = false;
  created.showUselessPrefixes = true;
  return created;
}
