/**
 * Trapline: a harness and conformance suite for KVM.
 *
 * Three layers, each usable alone. {@link Kvm}, {@link Vm} and {@link Vcpu} drive `/dev/kvm` through
 * Deno's FFI. {@link asm} and {@link machineState} make a guest: a program, and the CPU mode that it
 * starts in. {@link defineCase} and {@link LocalHost} judge what the guest did against what the
 * specification promises; {@link testCases} does so under `Deno.test`.
 *
 * Nothing is opened at import: a machine without KVM, or without Linux, can import this.
 *
 * @example A test of one's own
 * ```ts ignore
 * import { asm, defineCase, testCases } from "@trapline/trapline";
 *
 * testCases(defineCase({
 *   id: "mine/hello",
 *   spec: "KVM API 5: KVM_EXIT_IO",
 *   mode: "long",
 *   guest: asm`
 *     mov al, 'A'
 *     out 0xe9, al
 *     hlt
 *   `,
 *   trace: `
 *     pio out 0xe9 u8 0x41
 *     hlt
 *     = rax 0x41
 *   `,
 * }));
 * ```
 *
 * @module
 */

// KVM: one type per file descriptor, exits as a discriminated union.
export { HostError, type HostProblem } from "./src/kvm/host_error.ts";
export { Kvm } from "./src/kvm/kvm.ts";
export { Vm } from "./src/kvm/vm.ts";
export { AnswerError, Vcpu } from "./src/kvm/vcpu.ts";
export type { GuestDebug } from "./src/kvm/guest_debug.ts";
export { type GuestRange, type VcpuConfiguration, VcpuControl } from "./src/kvm/vcpu_control.ts";
export { VcpuSharedArea } from "./src/kvm/vcpu_shared_area.ts";
export { VmControl } from "./src/kvm/vm_control.ts";
export { VcpuState } from "./src/kvm/vcpu_state.ts";
export { VcpuCpuid } from "./src/kvm/vcpu_cpuid.ts";
export { VcpuRegisters } from "./src/kvm/vcpu_registers.ts";
export {
  type Base64,
  type Hexadecimal,
  RestoreError,
  type SavedAttributes,
  type SavedCapability,
  type SavedFile,
  type SavedGuestDebug,
  type SavedIrqchip,
  type SavedMemory,
  type SavedMsrFilter,
  type SavedPmuEventFilter,
  type SavedRoute,
  type SavedSlot,
  type SavedVcpu,
  type SavedVm,
  type SavedXen,
  SaveError,
} from "./src/kvm/saved_state.ts";
export { type RegisterSet, SharedRegisters } from "./src/kvm/shared_registers.ts";
export { type VcpuMethod, VcpuThread } from "./src/kvm/vcpu_thread.ts";
export { PrivateMemory } from "./src/kvm/private_memory.ts";
export { GuestAddressError, GuestMemory } from "./src/kvm/memory.ts";
export {
  type ConfiguredSlot,
  MEMORY_ATTRIBUTE_PRIVATE,
  MEMORY_LOG_DIRTY_PAGES,
  MEMORY_READONLY,
  type MemorySlot,
  type MemorySlot2,
} from "./src/kvm/memory_slot.ts";
export { GuestMemoryFile } from "./src/kvm/guest_memory_file.ts";
export { type DirtyPage, DirtyRing } from "./src/kvm/dirty_ring.ts";
export { Device, DEVICE_TYPE_VFIO } from "./src/kvm/device.ts";
export type { Attribute } from "./src/kvm/device_attribute.ts";
export {
  type StatisticDescriptor,
  Statistics,
  type StatisticsHeader,
  type StatisticType,
  type StatisticUnit,
} from "./src/kvm/statistics.ts";
export {
  CLOCK_HOST_TSC,
  CLOCK_REALTIME,
  CLOCK_TSC_STABLE,
  type ClockData,
} from "./src/kvm/clock.ts";
export type { PmuEventFilter } from "./src/kvm/pmu_event_filter.ts";
export {
  Xen,
  type XenConfig,
  type XenConfiguration,
  type XenPort,
  XenVcpu,
} from "./src/kvm/xen.ts";
export type {
  SavedAttributeValues,
  XenAttributes,
  XenRunstate,
  XenVcpuAttributes,
} from "./src/kvm/xen_attributes.ts";
export { HyperV } from "./src/kvm/hyperv.ts";
export { Encryption } from "./src/kvm/encryption.ts";
export { ioctl } from "./src/kvm/ioctl.ts";
export { Interrupts } from "./src/kvm/interrupts.ts";
export { ChipState } from "./src/kvm/chip_state.ts";
export type { InterruptChip, Msi, Route } from "./src/kvm/routing.ts";
export { type IoEvent, IoEvents } from "./src/kvm/io_events.ts";
export type { CoalescedWrite, CoalescedZone } from "./src/kvm/coalesced.ts";
export type { MsrFilter, MsrFilterRange } from "./src/kvm/msr_filter.ts";
export { Watchdog } from "./src/kvm/watchdog.ts";
export { KvmError } from "./src/kvm/error.ts";
export type { ActionObserver, ActionOperand, HostAction, Observed } from "./src/kvm/action.ts";
export type * from "./src/kvm/exit.ts";
export { capabilities, type CapabilityName } from "./ffi/abi/capabilities.ts";
export { type IoctlName, ioctls } from "./ffi/abi/ioctls.ts";
export { LayoutError } from "./ffi/abi/layout.ts";

// What lies below: memory, descriptors and errors of the operating system.
export { ArgumentError } from "./ffi/argument.ts";
export { DisposedError } from "./ffi/disposed.ts";
export { errnoName, SystemCallError } from "./ffi/errno.ts";
export { EventFd } from "./ffi/eventfd.ts";
export { FileDescriptor } from "./ffi/file_descriptor.ts";
export { UnsupportedPlatformError } from "./ffi/libc.ts";
export { Mapping, type MemoryAdvice, PAGE_SIZE, type Protection } from "./ffi/mapping.ts";
export { UserFault } from "./ffi/user_fault.ts";

// x86: programs, modes, descriptor tables, page tables, state.
export { asm, Assembly } from "./src/x86/asm/assembly.ts";
export {
  assemble,
  type Assembled,
  type AssembleOptions,
  type SourceLine,
} from "./src/x86/asm/assemble.ts";
export type { Bits } from "./src/x86/asm/codec.ts";
export { AssemblerUnavailableError, AssemblyError } from "./src/x86/asm/error.ts";
export {
  disassemble,
  type DisassembledInstruction,
  type DisassembleOptions,
} from "./src/x86/asm/disassemble.ts";
export {
  formatListing,
  listing,
  type ListingLine,
  type ListingOptions,
} from "./src/x86/asm/listing.ts";
export { memoryMap, type Region, type RegionName } from "./src/x86/memory_map.ts";
export {
  type BitChange,
  type ImagePart,
  initialMemory,
  type MachineOptions,
  MachineOptionsError,
  type MachineState,
  machineState,
} from "./src/x86/modes.ts";
export { DescriptorError } from "./src/x86/descriptors.ts";
export {
  type Handler,
  type Handlers,
  interruptStackTop,
  type PortRange,
  selectors,
} from "./src/x86/descriptor_tables.ts";
export { type PageMapping, PageTableError } from "./src/x86/paging.ts";
export {
  bitNames,
  CR0,
  CR4,
  type DescriptorTable,
  DR6,
  DR7,
  EFER,
  exceptionVectors,
  type ModeName,
  pageFaultError,
  type PagingMode,
  RFLAGS,
  type Segment,
  type SpecialRegisters,
  XCR0,
} from "./src/x86/registers.ts";
export { type MsrName, msrName, msrs } from "./src/x86/msrs.ts";
export type {
  IoapicState,
  PicState,
  PitChannelState,
  PitState,
  PitState2,
} from "./src/x86/chips.ts";
export type {
  CpuidEntry,
  DebugRegisters,
  ExtendedControlRegister,
  FloatingPointRegisters,
  MachineCheck,
  MsrEntry,
  NestedState,
  Registers,
  SystemRegisters,
  SystemRegisters2,
  Translation,
  VcpuEvents,
} from "./src/x86/state.ts";
export {
  type CpuidBit,
  type CpuidFeatureName,
  cpuidFeatures,
  cpuidLeaves,
} from "./src/x86/cpuid.ts";

// Traces: the language that cases, failures and reports share.
export type * from "./src/trace/event.ts";
export { format, formatLine } from "./src/trace/format.ts";
export { parse, parseRecorded } from "./src/trace/parse.ts";
export { TraceError } from "./src/trace/tokens.ts";
export { compare, type Comparison, type Divergence } from "./src/trace/script.ts";
export { diff, type DiffLine, explain } from "./src/trace/diff.ts";

// The suite: cases, hosts, verdicts.
export {
  type Case,
  type CaseDefinition,
  CaseError,
  defineCase,
  defineCases,
  type HandlerAt,
  initialRegisters,
  type Irqchip,
} from "./src/suite/case.ts";
export {
  CaseEnded,
  CaseFailure,
  type DriveContext,
  type DrivenThread,
  type DrivenVcpu,
} from "./src/suite/drive.ts";
export {
  type Backend,
  type Emulation,
  HostFacts,
  type Requirement,
} from "./src/suite/requirement.ts";
export type { LensName } from "./src/suite/lens.ts";
export { LocalHost, type LocalHostOptions } from "./src/suite/local_host.ts";
export type { Autopsy, CaseResult, Verdict } from "./src/suite/verdict.ts";
export {
  type Baseline,
  BaselineError,
  type KnownFailure,
  parseBaseline,
  type Standing,
  standing,
} from "./src/suite/baseline.ts";
export {
  type CatalogueEntry,
  CatalogueError,
  loadCatalogue,
  selectCases,
} from "./src/suite/catalogue.ts";
export { testCases, type TestCasesOptions } from "./src/report/deno_test.ts";
