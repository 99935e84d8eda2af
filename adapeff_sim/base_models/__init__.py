"""Where base models come from: releases shipped in the package, local folders, the hub (no torch)."""
