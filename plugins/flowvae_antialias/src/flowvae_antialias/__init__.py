"""An activation without its worst overtones, for flowvae."""
