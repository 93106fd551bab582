# shellcheck shell=bash
# Programs with the C++ SDK: the library as it is installed, built against with the system's compiler, and run.
finds cmake g++ pkg-config
sdk=$work/cpp
tree=$(dirname "$baton")
for part in libbaton libbaton-dev; do
  cmake --install "$tree" --component "$part" --prefix "$sdk/usr" >>"$work/cpp.install" 2>&1 || not_ok cpp "installing fails" "$work/cpp.install"
done
{
  CXX=g++ cmake -S cpp -B "$sdk/build" -DCMAKE_PREFIX_PATH="$sdk/usr" -DCMAKE_BUILD_TYPE=Debug && cmake --build "$sdk/build"
} >"$work/cpp.build" 2>&1 || not_ok cpp "the programs cannot be built with GCC" "$work/cpp.build"
passed cpp-dataset "$sdk/build/dataset_build" "$work/cpp-dataset.data"
passed cpp-tasks "$sdk/build/tasks" "$work/cpp-tasks.data"

# Without CMake, and with the other compiler.
lib=$(find "$sdk/usr" -name pkgconfig)
read -ra flags <<<"$(PKG_CONFIG_PATH=$lib PKG_CONFIG_SYSROOT_DIR='' pkg-config --cflags --libs baton)"
clang++-19 -std=c++20 -Wall -Wextra -Wpedantic -Werror cpp/label_worker.cpp "${flags[@]}" -Wl,-rpath,"$(dirname "$lib")" -o "$sdk/label_worker" \
  >"$work/cpp.pkg" 2>&1 || not_ok cpp "label_worker cannot be built by pkg-config" "$work/cpp.pkg"
passed cpp-worker python3 -B cpp/check_worker.py "$baton" "$sdk/label_worker" "$work/cpp-worker.data"
