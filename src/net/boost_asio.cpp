// Asio's separately compiled code, once for the whole binary (BOOST_ASIO_SEPARATE_COMPILATION).
#include <boost/asio/impl/src.hpp>
