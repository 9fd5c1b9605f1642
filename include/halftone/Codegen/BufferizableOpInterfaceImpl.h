//===- BufferizableOpInterfaceImpl.h - bufferization of our operations ------===//
#ifndef HALFTONE_CODEGEN_BUFFERIZABLEOPINTERFACEIMPL_H
#define HALFTONE_CODEGEN_BUFFERIZABLEOPINTERFACEIMPL_H

namespace mlir {
class DialectRegistry;

namespace halftone {

/// Lets one-shot bufferization handle halftone.contract, halftone.lookup and halftone.observe.
void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry);

} // namespace halftone
} // namespace mlir

#endif // HALFTONE_CODEGEN_BUFFERIZABLEOPINTERFACEIMPL_H
