import { constants } from "../../ffi/abi/constants.ts";
import { kvm_coalesced_mmio, kvm_coalesced_mmio_ring } from "../../ffi/abi/memory.ts";
import { PAGE_SIZE } from "../../ffi/mapping.ts";

/** A range whose writes KVM keeps in a ring instead of exiting (KVM API 4.116). */
export interface CoalescedZone {
  /** Whether the address is a port (KVM_CAP_COALESCED_PIO) or guest physical. */
  readonly space: "pio" | "mmio";
  /** The first port or guest physical address. */
  readonly address: bigint | number;
  /** Bytes. */
  readonly size: number;
}

/** A write that KVM kept in the ring (`struct kvm_coalesced_mmio`). */
export interface CoalescedWrite {
  /** Whether the address is a port or guest physical. */
  readonly space: "pio" | "mmio";
  /** The port or the guest physical address. */
  readonly address: bigint;
  /** Bytes, 1 to 8. */
  readonly size: number;
  /** What was written, little endian. */
  readonly value: bigint;
}

const ring = constants.KVM_COALESCED_MMIO_PAGE_OFFSET * PAGE_SIZE;
const { first, last } = kvm_coalesced_mmio_ring.fields;
const { phys_addr, len, pio, data } = kvm_coalesced_mmio.fields;
const capacity = Math.floor(
  (PAGE_SIZE - kvm_coalesced_mmio_ring.size) / kvm_coalesced_mmio.size,
);

/** Takes all writes out of the ring in a vCPU's shared area, oldest first. */
export function takeCoalesced(shared: DataView): CoalescedWrite[] {
  const writes: CoalescedWrite[] = [];
  const end = shared.getUint32(ring + last[0], true);
  let index = shared.getUint32(ring + first[0], true);
  for (; index !== end; index = (index + 1) % capacity) {
    const at = ring + kvm_coalesced_mmio_ring.size + index * kvm_coalesced_mmio.size;
    const size = shared.getUint32(at + len[0], true);
    writes.push({
      space: shared.getUint32(at + pio[0], true) === 1 ? "pio" : "mmio",
      address: shared.getBigUint64(at + phys_addr[0], true),
      size,
      value: BigInt.asUintN(8 * size, shared.getBigUint64(at + data[0], true)),
    });
  }
  shared.setUint32(ring + first[0], index, true);
  return writes;
}
