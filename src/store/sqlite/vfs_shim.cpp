#include "store/sqlite/vfs_shim.hpp"

#include <cassert>
#include <new>
#include <utility>

namespace baton::store::sqlite {

struct VfsShim::Calls {
  static File& self(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
  static sqlite3_file* real(sqlite3_file* file) { return self(file).real; }
  static const sqlite3_io_methods& io(sqlite3_file* file) { return *real(file)->pMethods; }
  static VfsShim& shim(sqlite3_vfs* vfs) { return *static_cast<VfsShim*>(vfs->pAppData); }
  static sqlite3_vfs* base(sqlite3_vfs* vfs) { return shim(vfs).base_; }

  static int open(sqlite3_vfs* vfs, const char* path, sqlite3_file* memory, int flags, int* out_flags) {
    VfsShim& owner = shim(vfs);
    auto* const real_file = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(memory) + sizeof(File));
    File* const file = new (memory) File{{nullptr}, &owner, real_file, path, flags, 0};
    const int code = owner.base_->xOpen(owner.base_, path, real_file, flags, out_flags);
    // SQLite closes only files that have methods, whether or not the open succeeded.
    if (real_file->pMethods) file->methods.pMethods = &owner.methods_;
    return code;
  }
  static int remove(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    return shim(vfs).remove(path, sync_folder);
  }
  static int access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
    return base(vfs)->xAccess(base(vfs), path, flags, result);
  }
  static int full_path(sqlite3_vfs* vfs, const char* path, int size, char* out) {
    return base(vfs)->xFullPathname(base(vfs), path, size, out);
  }
  static void* dl_open(sqlite3_vfs* vfs, const char* path) { return base(vfs)->xDlOpen(base(vfs), path); }
  static void dl_error(sqlite3_vfs* vfs, int size, char* text) { base(vfs)->xDlError(base(vfs), size, text); }
  static void (*dl_sym(sqlite3_vfs* vfs, void* library, const char* symbol))() {
    return base(vfs)->xDlSym(base(vfs), library, symbol);
  }
  static void dl_close(sqlite3_vfs* vfs, void* library) { base(vfs)->xDlClose(base(vfs), library); }
  static int randomness(sqlite3_vfs* vfs, int size, char* out) {
    return base(vfs)->xRandomness(base(vfs), size, out);
  }
  static int sleep(sqlite3_vfs* vfs, int microseconds) { return base(vfs)->xSleep(base(vfs), microseconds); }
  static int current_time(sqlite3_vfs* vfs, double* out) { return base(vfs)->xCurrentTime(base(vfs), out); }
  static int current_time64(sqlite3_vfs* vfs, sqlite3_int64* out) {
    return base(vfs)->xCurrentTimeInt64(base(vfs), out);
  }
  static int last_error(sqlite3_vfs* vfs, int size, char* text) {
    return base(vfs)->xGetLastError(base(vfs), size, text);
  }

  static int close(sqlite3_file* file) { return io(file).xClose(real(file)); }
  static int read(sqlite3_file* file, void* data, int size, sqlite3_int64 at) {
    return self(file).shim->read(self(file), data, size, at);
  }
  static int write(sqlite3_file* file, const void* data, int size, sqlite3_int64 at) {
    return self(file).shim->write(self(file), data, size, at);
  }
  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    return self(file).shim->truncate(self(file), size);
  }
  static int sync(sqlite3_file* file, int flags) { return self(file).shim->sync(self(file), flags); }
  static int file_size(sqlite3_file* file, sqlite3_int64* size) {
    return io(file).xFileSize(real(file), size);
  }
  static int lock(sqlite3_file* file, int level) { return io(file).xLock(real(file), level); }
  static int unlock(sqlite3_file* file, int level) { return io(file).xUnlock(real(file), level); }
  static int check_reserved(sqlite3_file* file, int* out) {
    return io(file).xCheckReservedLock(real(file), out);
  }
  static int control(sqlite3_file* file, int operation, void* argument) {
    return io(file).xFileControl(real(file), operation, argument);
  }
  static int sector_size(sqlite3_file* file) { return io(file).xSectorSize(real(file)); }
  static int characteristics(sqlite3_file* file) { return io(file).xDeviceCharacteristics(real(file)); }
  static int shm_map(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
    return io(file).xShmMap(real(file), region, size, extend, out);
  }
  static int shm_lock(sqlite3_file* file, int offset, int count, int flags) {
    return io(file).xShmLock(real(file), offset, count, flags);
  }
  static void shm_barrier(sqlite3_file* file) { io(file).xShmBarrier(real(file)); }
  static int shm_unmap(sqlite3_file* file, int remove_it) {
    return io(file).xShmUnmap(real(file), remove_it);
  }
};

VfsShim::VfsShim(std::string name, const std::string& base)
    : name_(std::move(name)), base_(sqlite3_vfs_find(base.empty() ? nullptr : base.c_str())) {
  assert(base_ && "the VFS below must be registered");
  vfs_.iVersion = 2;
  vfs_.szOsFile = static_cast<int>(sizeof(File)) + base_->szOsFile;
  vfs_.mxPathname = base_->mxPathname;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = &Calls::open;
  vfs_.xDelete = &Calls::remove;
  vfs_.xAccess = &Calls::access;
  vfs_.xFullPathname = &Calls::full_path;
  vfs_.xDlOpen = &Calls::dl_open;
  vfs_.xDlError = &Calls::dl_error;
  vfs_.xDlSym = &Calls::dl_sym;
  vfs_.xDlClose = &Calls::dl_close;
  vfs_.xRandomness = &Calls::randomness;
  vfs_.xSleep = &Calls::sleep;
  vfs_.xCurrentTime = &Calls::current_time;
  vfs_.xGetLastError = &Calls::last_error;
  vfs_.xCurrentTimeInt64 = &Calls::current_time64;

  methods_.iVersion = 2;  // without xFetch: every page comes through xRead
  methods_.xClose = &Calls::close;
  methods_.xRead = &Calls::read;
  methods_.xWrite = &Calls::write;
  methods_.xTruncate = &Calls::truncate;
  methods_.xSync = &Calls::sync;
  methods_.xFileSize = &Calls::file_size;
  methods_.xLock = &Calls::lock;
  methods_.xUnlock = &Calls::unlock;
  methods_.xCheckReservedLock = &Calls::check_reserved;
  methods_.xFileControl = &Calls::control;
  methods_.xSectorSize = &Calls::sector_size;
  methods_.xDeviceCharacteristics = &Calls::characteristics;
  methods_.xShmMap = &Calls::shm_map;
  methods_.xShmLock = &Calls::shm_lock;
  methods_.xShmBarrier = &Calls::shm_barrier;
  methods_.xShmUnmap = &Calls::shm_unmap;
  sqlite3_vfs_register(&vfs_, 0);
}

VfsShim::~VfsShim() {
  sqlite3_vfs_unregister(&vfs_);
}

}  // namespace baton::store::sqlite
