/** Structures of guest memory: slots, dirty pages, attributes, coalesced writes. @module */

/** A memory slot. `KVM_SET_USER_MEMORY_REGION`. */
export const kvm_userspace_memory_region = {
  name: "kvm_userspace_memory_region",
  size: 32,
  fields: {
    slot: [0, "u32"],
    flags: [4, "u32"],
    guest_phys_addr: [8, "u64"],
    memory_size: [16, "u64"],
    userspace_addr: [24, "u64"],
  },
} as const;

/** A memory slot that may be backed by a guest_memfd. `KVM_SET_USER_MEMORY_REGION2`. */
export const kvm_userspace_memory_region2 = {
  name: "kvm_userspace_memory_region2",
  size: 160,
  fields: {
    slot: [0, "u32"],
    flags: [4, "u32"],
    guest_phys_addr: [8, "u64"],
    memory_size: [16, "u64"],
    userspace_addr: [24, "u64"],
    guest_memfd_offset: [32, "u64"],
    guest_memfd: [40, "u32"],
  },
} as const;

/** A file of guest memory. `KVM_CREATE_GUEST_MEMFD`. */
export const kvm_create_guest_memfd = {
  name: "kvm_create_guest_memfd",
  size: 64,
  fields: { size: [0, "u64"], flags: [8, "u64"] },
} as const;

/** Attributes of a range of guest physical memory. `KVM_SET_MEMORY_ATTRIBUTES`. */
export const kvm_memory_attributes = {
  name: "kvm_memory_attributes",
  size: 32,
  fields: {
    address: [0, "u64"],
    size: [8, "u64"],
    attributes: [16, "u64"],
    flags: [24, "u64"],
  },
} as const;

/** A range of guest physical memory to map ahead of its use. `KVM_PRE_FAULT_MEMORY`. */
export const kvm_pre_fault_memory = {
  name: "kvm_pre_fault_memory",
  size: 64,
  fields: { gpa: [0, "u64"], size: [8, "u64"], flags: [16, "u64"] },
} as const;

/** A range of guest physical memory that holds encrypted pages. `KVM_MEMORY_ENCRYPT_REG_REGION`. */
export const kvm_enc_region = {
  name: "kvm_enc_region",
  size: 16,
  fields: { addr: [0, "u64"], size: [8, "u64"] },
} as const;

/** Where a slot's dirty bitmap goes; `dirty_bitmap` is an address. `KVM_GET_DIRTY_LOG`. */
export const kvm_dirty_log = {
  name: "kvm_dirty_log",
  size: 16,
  fields: { slot: [0, "u32"], dirty_bitmap: [8, "u64"] },
} as const;

/** The pages to write-protect again; `dirty_bitmap` is an address. `KVM_CLEAR_DIRTY_LOG`. */
export const kvm_clear_dirty_log = {
  name: "kvm_clear_dirty_log",
  size: 24,
  fields: {
    slot: [0, "u32"],
    num_pages: [4, "u32"],
    first_page: [8, "u64"],
    dirty_bitmap: [16, "u64"],
  },
} as const;

/** One entry of a vCPU's dirty ring. `KVM_CAP_DIRTY_LOG_RING`. */
export const kvm_dirty_gfn = {
  name: "kvm_dirty_gfn",
  size: 16,
  fields: { flags: [0, "u32"], slot: [4, "u32"], offset: [8, "u64"] },
} as const;

/** A range whose writes are coalesced; `pio` 1 means ports. `KVM_REGISTER_COALESCED_MMIO`. */
export const kvm_coalesced_mmio_zone = {
  name: "kvm_coalesced_mmio_zone",
  size: 16,
  fields: { addr: [0, "u64"], size: [8, "u32"], pio: [12, "u32"] },
} as const;

/** One coalesced write. `KVM_CAP_COALESCED_MMIO`, `KVM_CAP_COALESCED_PIO`. */
export const kvm_coalesced_mmio = {
  name: "kvm_coalesced_mmio",
  size: 24,
  fields: { phys_addr: [0, "u64"], len: [8, "u32"], pio: [12, "u32"], data: [16, "u8", 8] },
} as const;

/** The head of the ring of coalesced writes, a page of the vCPU's mapping. `KVM_CAP_COALESCED_MMIO`. */
export const kvm_coalesced_mmio_ring = {
  name: "kvm_coalesced_mmio_ring",
  size: 8,
  fields: { first: [0, "u32"], last: [4, "u32"] },
  tail: "coalesced_mmio",
} as const;

/** A linear address and what the guest's page tables make of it. `KVM_TRANSLATE`. */
export const kvm_translation = {
  name: "kvm_translation",
  size: 24,
  fields: {
    linear_address: [0, "u64"],
    physical_address: [8, "u64"],
    valid: [16, "u8"],
    writeable: [17, "u8"],
    usermode: [18, "u8"],
  },
} as const;
