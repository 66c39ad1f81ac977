// Compiles the region kernel, which all losses on regions share.
#include "kernels/region.h"
